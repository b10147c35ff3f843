import type { ComponentType } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { useTenant, useTopology } from '../api/tenant.tsx';
import { type Overview, overviewOf } from '../format/health.ts';
import { Link } from '../route/link.tsx';
import { useQueryText } from '../route/use-query-text.ts';
import { Page } from '../ui/page.tsx';
import { Empty, Failure, Skeleton } from '../ui/states.tsx';
import { Dot } from '../ui/status.tsx';

type GraphOf = ComponentType<{ readonly overview: Overview; readonly width: number; readonly height: number }>;

export function MapPage() {
  const tenant = useTenant();
  const { data, error } = useTopology();
  const [network, setNetwork] = useQueryText('network');
  const [only, setOnly] = useQueryText('only');
  const overview = useMemo(() => (data === undefined ? undefined : overviewOf(data)), [data]);
  const shown = useMemo(() => overview && narrow(overview, network, only === 'trouble'), [overview, network, only]);
  return (
    <Page
      title="Map"
      says="Every site and the networks between them, coloured by whether they are well and in step."
      actions={
        <>
          <select
            class="input small"
            aria-label="Network"
            value={network}
            onChange={(event) => setNetwork(event.currentTarget.value)}
          >
            <option value="">Every network</option>
            {data?.networks.map(({ id, name }) => (
              <option key={id} value={name}>
                {name}
              </option>
            ))}
          </select>
          <button
            type="button"
            class="button"
            aria-pressed={only === 'trouble'}
            onClick={() => setOnly(only === '' ? 'trouble' : '')}
          >
            Only trouble
          </button>
        </>
      }
    >
      <div class="map-panel panel">
        {shown === undefined ? (
          error ? (
            <Failure error={error} />
          ) : (
            <Skeleton rows={8} height={40} />
          )
        ) : shown.sites.length + shown.networks.length === 0 ? (
          <Empty
            icon="map"
            title={only === 'trouble' ? 'Nothing is in trouble' : 'Nothing to draw yet'}
            action={
              only === '' &&
              tenant.mayWrite && (
                <Link to={tenant.page('add-site')} class="button primary">
                  Add a site
                </Link>
              )
            }
          >
            {only === 'trouble'
              ? 'Every site is online and in step.'
              : 'Networks are hubs here and sites stand around them: add the first ones.'}
          </Empty>
        ) : (
          <Drawn overview={shown} />
        )}
        <Legend />
      </div>
    </Page>
  );
}

/** The map's code comes when it is first looked at. */
function Drawn({ overview }: { readonly overview: Overview }) {
  const box = useRef<HTMLDivElement>(null);
  const [Graph, setGraph] = useState<{ readonly of: GraphOf } | null>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  useEffect(() => {
    let isGone = false;
    void import('./graph.tsx').then(({ default: of }) => {
      if (!isGone) setGraph({ of });
    });
    const measured = new ResizeObserver(([entry]) => {
      if (entry !== undefined) setSize({ width: entry.contentRect.width, height: entry.contentRect.height });
    });
    measured.observe(box.current!);
    return () => {
      isGone = true;
      measured.disconnect();
    };
  }, []);
  return (
    <div ref={box} class="map-place">
      {Graph !== null && size.width > 0 && <Graph.of overview={overview} width={size.width} height={size.height} />}
    </div>
  );
}

function Legend() {
  return (
    <ul class="legend" aria-label="What the colours mean">
      <li>
        <Dot tone="good" /> In step
      </li>
      <li>
        <Dot tone="warn" /> Behind
      </li>
      <li>
        <Dot tone="bad" /> Offline or differs
      </li>
      <li>
        <Dot tone="off" /> Disabled
      </li>
      <li class="flow">Moving lines carry traffic now</li>
    </ul>
  );
}

function narrow({ sites, networks, links }: Overview, name: string, onlyTrouble: boolean): Overview {
  const kept = sites.filter(
    (one) =>
      (name === '' || one.links.some(({ network }) => network.name === name)) &&
      (!onlyTrouble || one.health === 'bad' || one.health === 'warn'),
  );
  const ids = new Set(kept.map(({ site }) => site.id));
  const lines = links.filter(({ site, network }) => ids.has(site.id) && (name === '' || network.name === name));
  const hubs = new Set(lines.map(({ network }) => network.id));
  return {
    sites: kept,
    links: lines,
    networks: networks.filter(
      ({ network }) => (name === '' ? !onlyTrouble : network.name === name) || hubs.has(network.id),
    ),
  };
}
