/** What is asked before a site is disabled, enabled or removed. */
import type { Site } from '../../contract/sites.ts';
import { call } from '../api/call.ts';
import { changed, leaveBy } from '../api/changes.ts';
import { useTenant } from '../api/tenant.tsx';
import { plural } from '../format/number.ts';
import { navigate } from '../route/location.ts';
import { Confirm } from '../ui/confirm.tsx';
import { say } from '../ui/toast.tsx';

interface Props {
  readonly site: Site;
  readonly onClose: () => void;
}

export function DisableSite({ site, onClose }: Props) {
  const tenant = useTenant();
  return (
    <Confirm
      title={`Disable ${site.name}?`}
      act="Disable the site"
      onClose={onClose}
      onConfirm={async () => {
        await call('PATCH', tenant.api('sites', site.id), { body: { disabled: true } });
        changed();
        say(`${site.name} is disabled.`);
      }}
    >
      <ul>
        <li>It stops carrying frames of {plural(site.networks.length, 'network')} as soon as its agent is told.</li>
        <li>Other sites stop sending to it within seconds, and take no frames from it.</li>
        <li>Its attachments and keys stay: enabled again, it goes on as before.</li>
      </ul>
    </Confirm>
  );
}

export function EnableSite({ site, onClose }: Props) {
  const tenant = useTenant();
  return (
    <Confirm
      title={`Enable ${site.name}?`}
      act="Enable the site"
      onClose={onClose}
      onConfirm={async () => {
        await call('PATCH', tenant.api('sites', site.id), { body: { disabled: false } });
        changed();
        say(`${site.name} is enabled.`);
      }}
    >
      <p>Its agent is let in again at its next try, and carries {plural(site.networks.length, 'network')} as before.</p>
    </Confirm>
  );
}

export function RemoveSite({ site, onClose }: Props) {
  const tenant = useTenant();
  return (
    <Confirm
      title={`Remove ${site.name}?`}
      act="Remove the site"
      typed={site.name}
      onClose={onClose}
      onConfirm={() =>
        leaveBy(async () => {
          await call('DELETE', tenant.api('sites', site.id));
          say(`${site.name} is removed.`);
          navigate(tenant.page('sites'), { replace: true });
        })
      }
    >
      <ul>
        <li>It loses {plural(site.networks.length, 'network')}: hosts behind it can’t reach the others any more.</li>
        <li>Its agent is refused for good. To come back it needs a new join token, and is a new site.</li>
        <li>Its VTEP address is free for another site at once.</li>
      </ul>
    </Confirm>
  );
}
