/** The map itself. Its code is loaded when the map is first opened. */
import { useMemo, useRef, useState } from 'preact/hooks';
import { type Rate, rates } from '../api/rates.ts';
import { useStore } from '../api/store.ts';
import { useTenant } from '../api/tenant.tsx';
import type { Link, Overview, SiteHealth } from '../format/health.ts';
import { navigate } from '../route/location.ts';
import { Icon } from '../ui/icons.tsx';
import { Card } from './card.tsx';
import { frameOf, layOut, MANY_NODES, type Place } from './layout.ts';
import { NetworkNode, SiteNode } from './nodes.tsx';
import { useFrame } from './use-frame.ts';

const places = { last: new Map<string, Place>() };
/** Zoomed in so far that one unit is so many pixels, every name is shown. */
const NAMES_AT_SCALE = 1.5;

interface Props {
  readonly overview: Overview;
  /** In pixels. */
  readonly width: number;
  readonly height: number;
}

export default function Graph({ overview, width, height }: Props) {
  const tenant = useTenant();
  const svg = useRef<SVGSVGElement>(null);
  const [pointed, point] = useState<string | null>(null);
  const flows = useStore(rates).by;
  const { sites, networks, links } = overview;

  const placed = useMemo(() => {
    const nodes = [
      ...networks.map(({ network, links: own }) => ({ id: network.id, kind: 'network' as const, degree: own.length })),
      ...sites.map(({ site, links: own }) => ({ id: site.id, kind: 'site' as const, degree: own.length })),
    ];
    const lines = links.map(({ site, network }) => ({ from: site.id, to: network.id }));
    places.last = layOut(nodes, lines, places.last);
    return places.last;
  }, [sites, networks, links]);

  const whole = useMemo(() => frameOf(placed.values(), { width, height }), [placed, width, height]);
  const { frame, zoom, fit, wasDragged } = useFrame(whole, svg);
  const scale = width / frame.width;
  const isDense = sites.length + networks.length > MANY_NODES;
  const hasNames = !isDense || scale > NAMES_AT_SCALE;
  const near = useMemo(() => neighbours(pointed, links), [pointed, links]);
  const dims = (id: string): boolean => near !== null && !near.has(id);
  const go = (to: string): void => {
    if (!wasDragged()) navigate(to);
  };

  const isTroubled = ({ health }: SiteHealth): boolean => health === 'bad' || health === 'warn';
  const wellSites = sites.filter((one) => !isTroubled(one));
  const troubledSites = sites.filter(isTroubled);
  const drawSite = (one: SiteHealth) => (
    <SiteNode
      key={one.site.id}
      of={one}
      at={placed.get(one.site.id)!}
      to={tenant.page('sites', one.site.name)}
      size={isDense ? (isTroubled(one) ? 6.5 : 4.5) : 8}
      unit={Math.min(1.6, Math.max(1, 0.9 / scale))}
      hasName={hasNames || one.health === 'bad' || pointed === one.site.id}
      isDim={dims(one.site.id)}
      isQuiet={isDense && one.health !== 'bad'}
      onPoint={point}
      onGo={go}
    />
  );

  return (
    <section class="map" aria-label={`Map of ${sites.length} sites and ${networks.length} networks`}>
      {/* biome-ignore lint/a11y/noSvgWithoutTitle: a title would be a tooltip over the whole map; the section has its name */}
      <svg
        ref={svg}
        viewBox={`${frame.x} ${frame.y} ${frame.width} ${frame.height}`}
        width={width}
        height={height}
        class={isDense ? 'dense' : ''}
      >
        <g class="links">
          {links.map((link) => (
            <Line
              key={`${link.site.id} ${link.network.id}`}
              link={link}
              placed={placed}
              rate={flows.get(`${link.site.id}/${link.network.vni}`)}
              isDim={near !== null && pointed !== link.site.id && pointed !== link.network.id}
            />
          ))}
        </g>
        {/* What is in trouble stands above all else. */}
        <g class="sites">{wellSites.map(drawSite)}</g>
        <g class="networks">
          {networks.map((one) => (
            <NetworkNode
              key={one.network.id}
              of={one}
              at={placed.get(one.network.id)!}
              to={tenant.page('networks', one.network.name)}
              unit={Math.max(1, 0.85 / scale)}
              isDim={dims(one.network.id)}
              onPoint={point}
              onGo={go}
            />
          ))}
        </g>
        <g class="sites">{troubledSites.map(drawSite)}</g>
      </svg>
      <div class="map-tools">
        <button type="button" class="button square" aria-label="Zoom in" onClick={() => zoom('in')}>
          <Icon name="plus" />
        </button>
        <button type="button" class="button square" aria-label="Zoom out" onClick={() => zoom('out')}>
          <Icon name="minus" />
        </button>
        <button type="button" class="button square" aria-label="Show all" onClick={fit}>
          <Icon name="fit" />
        </button>
      </div>
      <Card id={pointed} overview={overview} flows={flows} />
    </section>
  );
}

function Line(props: {
  readonly link: Link;
  readonly placed: ReadonlyMap<string, Place>;
  readonly rate: Rate | undefined;
  readonly isDim: boolean;
}) {
  const { link, placed, rate, isDim } = props;
  const [a, b] = [placed.get(link.site.id), placed.get(link.network.id)];
  if (a === undefined || b === undefined) return null;
  const bits = rate === undefined ? 0 : rate.inBits + rate.outBits;
  const state = link.site.status === 'offline' ? 'offline' : link.step;
  return (
    <line
      x1={a.x}
      y1={a.y}
      x2={b.x}
      y2={b.y}
      class={`link ${state}${bits > 1 ? ' flowing' : ''}${isDim ? ' dim' : ''}`}
      // Ten kilobits a second are a thin line, ten gigabits a thick one.
      stroke-width={1.1 + Math.max(0, Math.log10(Math.max(1, bits)) - 4) * 0.5}
    />
  );
}

/** @returns what is linked with it, and itself; null where nothing is pointed at. */
function neighbours(id: string | null, links: readonly Link[]): ReadonlySet<string> | null {
  if (id === null) return null;
  const near = new Set([id]);
  for (const { site, network } of links) {
    if (site.id === id) near.add(network.id);
    if (network.id === id) near.add(site.id);
  }
  return near;
}
