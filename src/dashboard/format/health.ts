/** How well a site, a network and the whole stand, in one word each: what every page colours by. */
import type { Topology } from '../../contract/topology.ts';
import { isBlind } from './transport.ts';

export type Health = 'good' | 'warn' | 'bad' | 'off';
type StepState = 'in_step' | 'behind' | 'differs' | 'error' | 'unknown' | 'none';
export type SiteItem = Topology['sites'][number];
export type NetworkItem = Topology['networks'][number];

/** As the contract's `STEP_STATES`, which a test holds this to: the page takes types alone from there. */
export const STEPS: readonly StepState[] = ['in_step', 'behind', 'differs', 'error', 'unknown', 'none'];

const STEP_HEALTH: Readonly<Record<StepState, Health>> = {
  in_step: 'good',
  behind: 'warn',
  differs: 'bad',
  error: 'bad',
  unknown: 'warn',
  none: 'off',
};

const STEP_WORDS: Readonly<Record<StepState, string>> = {
  in_step: 'In step',
  behind: 'Behind',
  differs: 'Differs',
  error: 'Error',
  unknown: 'Not heard yet',
  none: 'Not asked',
};

const STEP_MEANINGS: Readonly<Record<StepState, string>> = {
  in_step: 'It forwards by the latest changes, and its table is the registry’s.',
  behind: 'It has not applied the latest changes yet.',
  differs: 'It has applied all changes, and its table is still not the registry’s: it pulls a fresh one by itself.',
  error: 'Its agent says that it can’t carry this network as asked.',
  unknown: 'Its agent has said nothing of this network yet.',
  none: 'It has no agent, or is disabled: nobody is asked.',
};

export interface Link {
  readonly site: SiteItem;
  readonly network: NetworkItem;
  readonly step: StepState;
}

/** How the site stands in the network, in a few words and in a sentence. */
export function wordsOf({ site, network, step }: Link): { readonly words: string; readonly meaning: string } {
  if (step === 'error' && isBlind(site, network)) {
    return {
      words: 'Can’t encrypt',
      meaning:
        'The network must be encrypted, and this site has published no WireGuard key: its agent is too old, or finds no WireGuard on its host.',
    };
  }
  return { words: STEP_WORDS[step], meaning: STEP_MEANINGS[step] };
}

export interface SiteHealth {
  readonly site: SiteItem;
  readonly links: readonly Link[];
  readonly health: Health;
  /** How many of its networks are in step, of those that are asked for it. */
  readonly inStep: number;
  readonly asked: number;
  /** Why it isn't good, in a few words. */
  readonly words: string;
}

export interface NetworkHealth {
  readonly network: NetworkItem;
  readonly links: readonly Link[];
  readonly health: Health;
  readonly inStep: number;
  readonly asked: number;
}

export interface Overview {
  readonly sites: readonly SiteHealth[];
  readonly networks: readonly NetworkHealth[];
  readonly links: readonly Link[];
}

export function stepHealth(step: StepState): Health {
  return STEP_HEALTH[step];
}

export function worst(healths: readonly Health[]): Health {
  for (const health of ['bad', 'warn', 'good'] as const) if (healths.includes(health)) return health;
  return 'off';
}

const seen = new WeakMap<Topology, Overview>();

/** The topology, with each thing's health worked out; once for each answer of the gateway's. */
export function overviewOf(topology: Topology): Overview {
  let overview = seen.get(topology);
  if (overview === undefined) {
    overview = workOut(topology);
    seen.set(topology, overview);
  }
  return overview;
}

function workOut({ sites, networks, attachments }: Topology): Overview {
  const links = attachments.flatMap(([siteIndex, networkIndex, state]): Link[] => {
    const site = sites[siteIndex];
    const network = networks[networkIndex];
    return site && network ? [{ site, network, step: STEPS[state] ?? 'unknown' }] : [];
  });
  const bySite = Map.groupBy(links, ({ site }) => site);
  const byNetwork = Map.groupBy(links, ({ network }) => network);
  return {
    links,
    sites: sites.map((site) => siteHealth(site, bySite.get(site) ?? [])),
    networks: networks.map((network) => networkHealth(network, byNetwork.get(network) ?? [])),
  };
}

function siteHealth(site: SiteItem, links: readonly Link[]): SiteHealth {
  const { inStep, asked } = count(links);
  const found = { site, links, inStep, asked };
  if (site.status === 'disabled') return { ...found, health: 'off', words: 'Disabled' };
  if (site.status === 'offline') return { ...found, health: 'bad', words: 'Offline' };
  if (site.kind === 'static') return { ...found, health: 'good', words: 'Static' };
  const health = worst(links.map(({ step }) => stepHealth(step)));
  if (links.some(({ network }) => isBlind(site, network))) return { ...found, health, words: 'Can’t encrypt' };
  if (health === 'good' || health === 'off') return { ...found, health: 'good', words: 'Online' };
  return { ...found, health, words: `${inStep} of ${asked} in step` };
}

function networkHealth(network: NetworkItem, links: readonly Link[]): NetworkHealth {
  const healths = links.map(({ site, step }): Health => (site.status === 'offline' ? 'warn' : stepHealth(step)));
  return { network, links, health: worst(healths), ...count(links) };
}

function count(links: readonly Link[]): { readonly inStep: number; readonly asked: number } {
  const asked = links.filter(({ step }) => step !== 'none');
  return { inStep: asked.filter(({ step }) => step === 'in_step').length, asked: asked.length };
}
