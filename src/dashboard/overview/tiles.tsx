import type { ComponentChildren } from 'preact';
import { rates } from '../api/rates.ts';
import { useStore } from '../api/store.ts';
import { useTenant } from '../api/tenant.tsx';
import { Spark } from '../chart/spark.tsx';
import type { Overview } from '../format/health.ts';
import { formatBits, formatCount, plural } from '../format/number.ts';
import { Link } from '../route/link.tsx';

export function Tiles({ overview: { sites, networks, links } }: { readonly overview: Overview }) {
  const tenant = useTenant();
  const { recent } = useStore(rates);
  const counted = sites.filter(({ site }) => site.status !== 'disabled');
  const online = counted.filter(({ site }) => site.status === 'online').length;
  const asked = links.filter(({ step }) => step !== 'none');
  const inStep = asked.filter(({ step }) => step === 'in_step').length;
  const macs = networks.reduce((sum, { network }) => sum + network.macs, 0);
  const now = recent.at(-1)?.bits;
  return (
    <div class="tiles">
      <Tile
        title="Sites online"
        to={tenant.page('sites')}
        note={sites.length > counted.length ? `${sites.length - counted.length} disabled` : 'of those that should be'}
      >
        {formatCount(online)}
        <small> / {formatCount(counted.length)}</small>
      </Tile>
      <Tile title="In step" to={tenant.page('map')} note="attachments with the latest changes">
        {formatCount(inStep)}
        <small> / {formatCount(asked.length)}</small>
      </Tile>
      <Tile title="Networks" to={tenant.page('networks')} note={plural(macs, 'MAC address', 'MAC addresses')}>
        {formatCount(networks.length)}
      </Tile>
      <Tile
        title="Traffic now"
        note={now === undefined ? 'waiting for agents to say' : 'sent between sites'}
        figure={<Spark values={recent.map(({ bits }) => bits)} />}
      >
        {now === undefined ? '–' : formatBits(now)}
      </Tile>
    </div>
  );
}

function Tile(props: {
  readonly title: string;
  readonly to?: string;
  readonly note: string;
  readonly figure?: ComponentChildren;
  readonly children: ComponentChildren;
}) {
  const { title, to, note, figure, children } = props;
  return (
    <section class="tile" aria-label={title}>
      <h2>{to === undefined ? title : <Link to={to}>{title}</Link>}</h2>
      <p class="value">{children}</p>
      <p class="note">{note}</p>
      {figure}
    </section>
  );
}
