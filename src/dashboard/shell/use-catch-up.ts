import { useEffect, useRef } from 'preact/hooks';
import type { Topology } from '../../contract/topology.ts';
import { changed } from '../api/changes.ts';
import { useQuery } from '../api/query.ts';
import type { Tenant } from '../api/tenant.tsx';
import { overviewOf } from '../format/health.ts';

const FIRST_MS = 700;
const MAX_MS = 30_000;

/**
 * Asks again while a site that is online has not said yet that it is in step: nothing tells of a report, since reports change nothing.
 * The longer it takes, the more seldom.
 */
export function useCatchUp(tenant: Tenant | null): void {
  const { data } = useQuery<Topology>(tenant?.api('topology') ?? null);
  const wait = useRef(FIRST_MS);
  const late = data === undefined ? '' : lateIn(data);
  const before = useRef('');
  if (late !== before.current) {
    before.current = late;
    wait.current = FIRST_MS;
  }
  useEffect(() => {
    if (late === '') return undefined;
    const timer = setTimeout(changed, wait.current);
    wait.current = Math.min(MAX_MS, wait.current * 1.6);
    return () => clearTimeout(timer);
    // Each answer, though it says the same, is followed by another wait.
  }, [late, data]);
}

/** @returns who is late with what, as one text. */
function lateIn(topology: Topology): string {
  return overviewOf(topology)
    .links.filter(({ site, step }) => site.status === 'online' && (step === 'behind' || step === 'unknown'))
    .map(({ site, network }) => `${site.id} ${network.id}`)
    .join(',');
}
