import type { Rate } from '../api/rates.ts';
import type { Overview } from '../format/health.ts';
import { formatBits, plural } from '../format/number.ts';
import { Pill, StepBar } from '../ui/status.tsx';

interface Props {
  readonly id: string | null;
  readonly overview: Overview;
  readonly flows: ReadonlyMap<string, Rate>;
}

/** What is known of the site or network that is pointed at. */
export function Card({ id, overview, flows }: Props) {
  const site = overview.sites.find((one) => one.site.id === id);
  const network = overview.networks.find((one) => one.network.id === id);
  if (site !== undefined) {
    return (
      <div class="map-card">
        <strong>{site.site.name}</strong> <Pill tone={site.health}>{site.words}</Pill>
        <dl>
          <dt>In step</dt>
          <dd>
            <StepBar inStep={site.inStep} asked={site.asked} />
          </dd>
          <dt>VTEP</dt>
          <dd class="mono">{site.site.vtep.address}</dd>
          <Flow rate={flows.get(site.site.id)} />
        </dl>
      </div>
    );
  }
  if (network === undefined) return null;
  return (
    <div class="map-card">
      <strong>{network.network.name}</strong> <span class="faint">VNI {network.network.vni}</span>
      <dl>
        <dt>Sites</dt>
        <dd>{plural(network.links.length, 'site')}</dd>
        <dt>In step</dt>
        <dd>
          <StepBar inStep={network.inStep} asked={network.asked} />
        </dd>
        <Flow rate={flows.get(String(network.network.vni))} />
      </dl>
    </div>
  );
}

function Flow({ rate }: { readonly rate: Rate | undefined }) {
  if (rate === undefined) return null;
  return (
    <>
      <dt>Now</dt>
      <dd class="figure">
        {formatBits(rate.inBits)} in, {formatBits(rate.outBits)} out
      </dd>
    </>
  );
}
