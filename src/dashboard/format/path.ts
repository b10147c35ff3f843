/** A path between two sites, in words: the worse of what its two ends say. */
import type { PathSeen, Paths } from '../../contract/paths.ts';
import type { Health } from './health.ts';

export type PathItem = Paths['items'][number];

export interface PathHealth {
  readonly tone: Health;
  readonly words: string;
  /** What it means, and what to do. */
  readonly means: string;
}

/** From so many of the last probes on it is more than chance. */
const LOSS_LOST = 3;
const LOSS_SHARE = 0.05;

export function pathHealth({ site, there, back }: PathItem): PathHealth {
  const ends = [there, back].filter((end): end is PathSeen => end !== undefined);
  if (there?.state === 'unreachable' || back?.state === 'unreachable') return unreachable(there, back);
  if (site.kind === 'static') {
    return { tone: 'off', words: 'Not measured', means: 'A static site has no agent, so it answers no probes.' };
  }
  if (ends.every(({ state }) => state === 'silent')) {
    const means = 'It never answered a probe: an older agent, or UDP to its VTEP is dropped on the way.';
    return { tone: 'warn', words: 'No answer', means };
  }
  if (ends.some(({ carriesNeeded }) => carriesNeeded === false)) {
    const means = 'Large packets are lost on the way: raise the underlay’s MTU there, or lower that of the networks.';
    return { tone: 'bad', words: 'MTU too small', means };
  }
  if (ends.some(({ asked, lost }) => lost >= LOSS_LOST && lost >= asked * LOSS_SHARE)) {
    return { tone: 'warn', words: 'Loses packets', means: 'Look for a link on the way that is full or faulty.' };
  }
  return { tone: 'good', words: 'Well', means: 'Probes come back, and packets as large as the networks need pass.' };
}

function unreachable(there: PathSeen | undefined, back: PathSeen | undefined): PathHealth {
  if (there?.hears === true || back?.hears === true) {
    const means = 'One way is open and the other is not: a firewall drops UDP to one of the two VTEPs.';
    return { tone: 'bad', words: 'Open one way', means };
  }
  return { tone: 'bad', words: 'Unreachable', means: 'Probes no longer come back: is it up, and UDP let through?' };
}

/** @returns `0.42 ms`, or a dash where it is not known. */
export function formatRoundTrip(seen: PathSeen | undefined): string {
  if (seen?.rttMs === undefined || seen.state !== 'reachable') return '–';
  return `${seen.rttMs < 10 ? seen.rttMs.toFixed(2) : seen.rttMs.toFixed(0)} ms`;
}

export function formatLoss(seen: PathSeen | undefined): string {
  if (seen === undefined || seen.state !== 'reachable' || seen.asked === 0) return '–';
  return `${Math.round((100 * seen.lost) / seen.asked)} %`;
}

export function formatPathMtu(seen: PathSeen | undefined): string {
  return seen?.mtu === undefined ? '–' : String(seen.mtu);
}
