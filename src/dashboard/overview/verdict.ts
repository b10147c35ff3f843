import type { Health, Overview } from '../format/health.ts';
import { plural } from '../format/number.ts';

export interface Verdict {
  readonly health: Health;
  readonly word: string;
  readonly says: string;
}

/** Is it well? One word, and one sentence with the numbers that say so. */
export function verdictOf({ sites, links }: Overview): Verdict {
  const offline = sites.filter(({ site }) => site.status === 'offline').length;
  const online = sites.filter(({ site }) => site.status === 'online').length;
  const asked = links.filter(({ site, step }) => step !== 'none' && site.status === 'online');
  const late = asked.filter(({ step }) => step !== 'in_step').length;
  if (sites.length === 0)
    return { health: 'off', word: 'Nothing here yet', says: 'Three steps and two sites share a network.' };
  if (offline > 0) {
    return {
      health: 'bad',
      word: offline === 1 ? '1 site offline' : `${offline} sites offline`,
      says: `${plural(online, 'site is', 'sites are')} online. What is offline keeps its last table and may still carry frames.`,
    };
  }
  if (late > 0) {
    return {
      health: 'warn',
      word: 'Not all in step',
      says: `${plural(late, 'attachment')} of ${asked.length} ${late === 1 ? 'has' : 'have'} not applied the latest changes.`,
    };
  }
  return {
    health: 'good',
    word: 'All in step',
    says: `${plural(online, 'site')} online, each forwarding by the latest changes.`,
  };
}
