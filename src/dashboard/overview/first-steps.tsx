import { useTenant } from '../api/tenant.tsx';
import { Link } from '../route/link.tsx';
import { Icon } from '../ui/icons.tsx';
import { Panel } from '../ui/page.tsx';

/** What a tenant sees that has no site yet. */
export function FirstSteps({ hasNetwork }: { readonly hasNetwork: boolean }) {
  const tenant = useTenant();
  return (
    <Panel title="Begin here">
      <ol class="steps">
        <li class={hasNetwork ? 'done' : 'now'}>
          <h3>Make a network</h3>
          <p>
            A network is one VNI: a layer-2 segment that hosts at any of its sites share, as if they were on one switch.
            Only sites attached to it ever see its frames.
          </p>
          {tenant.mayWrite && !hasNetwork && (
            <Link to={`${tenant.page('networks')}?new=1`} class="button primary">
              <Icon name="plus" />
              New network
            </Link>
          )}
        </li>
        <li class={hasNetwork ? 'now' : ''}>
          <h3>Add two sites</h3>
          <p>A site is one host with an agent. You get a command to paste there; this page shows it come up.</p>
          {tenant.mayWrite && hasNetwork && (
            <Link to={tenant.page('add-site')} class="button primary">
              <Icon name="plus" />
              Add a site
            </Link>
          )}
        </li>
        <li>
          <h3>Give their interfaces addresses, and ping</h3>
          <p>
            On each host: ip address add 10.20.0.1/24 dev …, with another last number each. Then watch the traffic here.
          </p>
        </li>
      </ol>
    </Panel>
  );
}
