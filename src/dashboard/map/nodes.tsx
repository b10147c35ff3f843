import type { NetworkHealth, SiteHealth } from '../format/health.ts';
import type { Place } from './layout.ts';

interface NodeProps {
  readonly at: Place;
  readonly to: string;
  readonly isDim: boolean;
  readonly onPoint: (id: string | null) => void;
  readonly onGo: (to: string) => void;
}

interface SiteProps extends NodeProps {
  readonly of: SiteHealth;
  readonly size: number;
  /** How large one unit of the name is, so that it can be read however small the map. */
  readonly unit: number;
  readonly hasName: boolean;
  /** No stop for the Tab key: among hundreds, only what isn't well is. */
  readonly isQuiet: boolean;
}

export function SiteNode({ of, at, to, size, unit, hasName, isDim, isQuiet, onPoint, onGo }: SiteProps) {
  const { site, health, words } = of;
  return (
    <g
      class={`node site ${health}${isDim ? ' dim' : ''}`}
      transform={`translate(${at.x.toFixed(1)} ${at.y.toFixed(1)})`}
    >
      <a
        href={to}
        aria-label={`Site ${site.name}: ${words}`}
        tabIndex={isQuiet ? -1 : 0}
        draggable={false}
        {...handlers(site.id, to, onPoint, onGo)}
      >
        <circle class="halo" r={size + 5} />
        <circle r={size} />
        {hasName && (
          <text y={size + 13 * unit} text-anchor="middle" font-size={12 * unit}>
            {site.name}
          </text>
        )}
      </a>
    </g>
  );
}

interface NetworkProps extends NodeProps {
  readonly of: NetworkHealth;
  /** How large one unit of the label is, so that it can be read however small the map. */
  readonly unit: number;
}

export function NetworkNode({ of, at, to, unit, isDim, onPoint, onGo }: NetworkProps) {
  const { network, health, links } = of;
  const width = Math.max(44, network.name.length * 7.4 + 22);
  return (
    <g
      class={`node network ${health}${isDim ? ' dim' : ''}`}
      transform={`translate(${at.x.toFixed(1)} ${at.y.toFixed(1)}) scale(${unit.toFixed(3)})`}
    >
      <a
        href={to}
        aria-label={`Network ${network.name}, VNI ${network.vni}, ${links.length} sites`}
        draggable={false}
        {...handlers(network.id, to, onPoint, onGo)}
      >
        <rect x={-width / 2} y={-13} width={width} height={26} rx={8} />
        <text y={4.5} text-anchor="middle" font-size={12}>
          {network.name}
        </text>
      </a>
    </g>
  );
}

function handlers(id: string, to: string, onPoint: NodeProps['onPoint'], onGo: NodeProps['onGo']) {
  return {
    onMouseEnter: () => onPoint(id),
    onMouseLeave: () => onPoint(null),
    onFocus: () => onPoint(id),
    onBlur: () => onPoint(null),
    onClick: (event: MouseEvent) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      onGo(to);
    },
  };
}
