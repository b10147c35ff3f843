/** What the figures of a path mean to a person, and what to do: the same words in `status` and in `doctor`. */
import { formatVtep } from '../../shared/format-vtep.ts';
import type { PeerPath } from '../datapath/datapath.ts';

export interface PathVerdict {
  /** What was looked at. */
  readonly of: 'reachable' | 'loss' | 'mtu';
  /** `fail`: frames don't pass, or the large ones don't. */
  readonly verdict: 'pass' | 'warn' | 'fail';
  readonly says: string;
  readonly todo?: string;
}

/** Fewer may be chance, or somebody's restart. */
const LOSS_ASKED = 10;
const LOSS_LOST = 3;
const LOSS_SHARE = 0.05;

/** @returns what is to be said of it: whether it can be reached first. */
export function pathVerdicts(path: PeerPath): PathVerdict[] {
  const verdicts = [reachability(path)];
  if (path.state !== 'reachable') return verdicts;
  const { asked, lost } = path;
  const who = formatVtep(path);
  if (asked >= LOSS_ASKED && lost >= LOSS_LOST && lost >= asked * LOSS_SHARE) {
    const says = `${lost} of the last ${asked} probes to ${who} were lost`;
    verdicts.push({ of: 'loss', verdict: 'warn', says, todo: 'look for a link on the way that is full or faulty' });
  }
  if (path.carriesNeeded === false) verdicts.push(tooSmall(path, `the path to ${who}`, path.overhead));
  return verdicts;
}

function reachability(path: PeerPath): PathVerdict {
  const of = 'reachable';
  const who = formatVtep(path);
  switch (path.state) {
    case 'reachable':
      return { of, verdict: 'pass', says: `${who} answers` };
    case 'new':
      return { of, verdict: 'pass', says: `${who} was not asked often enough yet` };
    case 'silent': {
      const todo = `where an agent runs there, let UDP ${path.port} through, both ways`;
      return { of, verdict: 'warn', says: `${who} gives no answer to probes (a static VTEP?)`, todo };
    }
    case 'unreachable':
      if (path.hears) {
        const says = `what goes to ${who} is lost, though what it sends comes here`;
        const todo = `let UDP ${path.port} to ${path.address} through, and see that it lists this site by the address that it sends from`;
        return { of, verdict: 'fail', says, todo };
      }
      return {
        of,
        verdict: 'fail',
        says: `${who} does not answer any more`,
        todo: `is it up? Then let UDP ${path.port} through, both ways`,
      };
  }
}

/** @param what whose MTU it is. @param overhead how much of it VXLAN adds. */
export function tooSmall(
  { mtu, neededMtu }: { readonly mtu?: number | undefined; readonly neededMtu: number },
  what: string,
  overhead: number,
): PathVerdict {
  const carries = mtu === undefined ? 'less' : `packets of up to ${mtu} bytes`;
  const lower = mtu === undefined ? '' : `, or set the networks’ to ${mtu - overhead}`;
  return {
    of: 'mtu',
    verdict: 'fail',
    says: `${what} carries ${carries}, and the networks need ${neededMtu}`,
    todo: `raise the underlay’s MTU on the way to ${neededMtu}${lower}`,
  };
}
