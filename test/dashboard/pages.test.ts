import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_MTU, type Network } from '../../src/contract/networks.ts';
import { DEFAULT_LIMITS } from '../../src/contract/tenants.ts';
import { STEP_STATES, type Topology } from '../../src/contract/topology.ts';
import { SHARED_POOL, type VniPool } from '../../src/contract/vni-pools.ts';
import { overviewOf, STEPS, wordsOf } from '../../src/dashboard/format/health.ts';
import { frameOf, layOut } from '../../src/dashboard/map/layout.ts';
import { FIRST_MTU, networkBody, networkDraft, numberOf } from '../../src/dashboard/networks/network-draft.ts';
import { SPACE_LAST, stretchesOf } from '../../src/dashboard/operator/space.ts';
import { FIRST_LIMITS } from '../../src/dashboard/operator/tenant-limits.ts';
import { verdictOf } from '../../src/dashboard/overview/verdict.ts';
import { match } from '../../src/dashboard/route/match.ts';
import { joinCommand } from '../../src/dashboard/sites/join-command.ts';
import { formatLabels, parseLabels } from '../../src/dashboard/sites/labels.ts';
import { manySites } from '../browser/world.ts';

describe('what the page has of the contract without its code', () => {
  it('is the contract’s', () => {
    expect(STEPS).toEqual(STEP_STATES);
    expect(FIRST_MTU).toBe(DEFAULT_MTU);
    expect(FIRST_LIMITS).toEqual(DEFAULT_LIMITS);
    expect(SHARED_POOL).toBe('shared');
  });
});

describe('an address', () => {
  it('is a page’s with what stands in it, decoded', () => {
    expect(match('/t/:tenant/sites/:site', '/t/acme/sites/os%20lo/')).toEqual({ tenant: 'acme', site: 'os lo' });
    expect(match('/t/:tenant', '/t/acme/sites')).toBeNull();
    expect(match('/t/:tenant', '/t/%E0%A4%A')).toBeNull();
  });
});

describe('health', () => {
  const site = (name: string, status: 'online' | 'offline' | 'disabled' = 'online') => ({
    id: name,
    name,
    kind: 'agent' as const,
    status,
    vtep: { address: '192.0.2.1', port: 4789 },
    labels: {},
    createdAt: '2026-11-24T12:00:00Z',
  });
  const topology = (sites: Topology['sites'], attachments: Topology['attachments']): Topology => ({
    revision: 1,
    sites,
    networks: [{ id: 'n', name: 'blue', vni: 1, macs: 0, transport: 'plain', revision: 1 }],
    attachments,
  });

  it('of a site is what is worst of it', () => {
    const { sites } = overviewOf(
      topology(
        [site('a'), site('b'), site('c', 'offline'), site('d', 'disabled'), site('e')],
        [
          [0, 0, 0],
          [1, 0, 1],
          [2, 0, 0],
          [3, 0, 5],
          [4, 0, 2],
        ],
      ),
    );
    expect(sites.map(({ health }) => health)).toEqual(['good', 'warn', 'bad', 'off', 'bad']);
  });

  it('says of a site that must encrypt and can’t just that', () => {
    const [all] = [
      topology(
        [
          { ...site('a'), encrypts: false },
          { ...site('b'), encrypts: true },
        ],
        [
          [0, 0, 3],
          [1, 0, 3],
        ],
      ),
    ];
    const sealed = {
      ...all,
      networks: all.networks.map((network) => ({ ...network, transport: 'wireguard' as const })),
    };
    const wordsIn = (of: Topology) => overviewOf(of).links.map((link) => wordsOf(link).words);
    expect(wordsIn(sealed)).toEqual(['Can’t encrypt', 'Error']);
    expect(overviewOf(sealed).sites.map(({ words }) => words)).toEqual(['Can’t encrypt', '0 of 1 in step']);
    expect(wordsIn(all)).toEqual(['Error', 'Error']);
  });

  it('of all says first what is offline, then what is not in step, then that all is well', () => {
    const verdict = (status: 'online' | 'offline', state: number) =>
      verdictOf(overviewOf(topology([site('a', status)], [[0, 0, state]]))).word;
    expect([verdict('offline', 0), verdict('online', 1), verdict('online', 0)]).toEqual([
      '1 site offline',
      'Not all in step',
      'All in step',
    ]);
    expect(verdictOf(overviewOf(topology([], []))).health).toBe('off');
  });
});

describe('a network’s form', () => {
  const network: Network = {
    id: 'n',
    name: 'blue',
    vni: 5000,
    mtu: 1450,
    subnet: '10.0.0.0/24',
    antiSpoof: 'vtep',
    arpSuppression: false,
    flood: 'headend',
    transport: 'plain',
    macs: 0,
    revision: 1,
    createdAt: '2026-11-24T12:00:00Z',
  };

  it('sends what was filled in, and of one that is there only what is another than before', () => {
    expect(networkBody({ ...networkDraft(), name: ' blue ', vni: '5,000' })).toEqual({
      name: 'blue',
      vni: 5000,
      mtu: 1450,
      flood: 'headend',
      antiSpoof: 'vtep',
      arpSuppression: false,
    });
    expect(networkBody({ ...networkDraft(), name: 'a', transport: 'wireguard' })).toMatchObject({
      transport: 'wireguard',
    });
    expect(networkBody(networkDraft(network), network)).toEqual({});
    expect(networkBody({ ...networkDraft(network), subnet: '', mtu: '1400' }, network)).toEqual({
      subnet: null,
      mtu: 1400,
    });
  });

  it('sends what is no number as it was typed, for the gateway to say what would be right', () => {
    expect([numberOf('12'), numberOf('1_000'), numberOf('x'), numberOf('')]).toEqual([12, 1000, 'x', '']);
  });
});

describe('labels', () => {
  it('are read as they are written', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
    const value = fc.stringMatching(/^[a-z0-9=.-]{0,8}$/);
    fc.assert(
      fc.property(fc.dictionary(name, value, { noNullPrototype: true }), (labels) => {
        expect(parseLabels(formatLabels(labels))).toEqual(labels);
      }),
    );
  });
});

describe('the command that joins', () => {
  it('can be pasted whatever is in it, and allows plain HTTP only where it must', () => {
    const command = (gateway: string, name = '') =>
      joinCommand('agent', { gateway, token: 'olj_x', name, vtepAddress: '' });
    expect(command('https://gw.example.net', "o's")).toBe(
      "agent join --gateway https://gw.example.net --token olj_x --name 'o'\\''s'",
    );
    expect(command('http://10.0.0.1:8787')).toMatch(/ --allow-plain-http$/);
    expect(command('http://127.0.0.1:8787')).not.toMatch(/plain/);
  });
});

describe('the VNI space', () => {
  const pool = (name: string, first: number, last: number): VniPool => ({
    id: name,
    name,
    first,
    last,
    free: 1,
    used: 0,
    quarantined: 0,
  });

  it('is cut into stretches without gap or overlap, whatever pools are carved out', () => {
    const cuts = fc.uniqueArray(fc.integer({ min: 4096, max: SPACE_LAST }), { minLength: 0, maxLength: 12 });
    fc.assert(
      fc.property(cuts, (numbers) => {
        const sorted = numbers.toSorted((a, b) => a - b);
        const carved = sorted.flatMap((first, i) =>
          i % 2 === 0 && sorted[i + 1] !== undefined ? [pool(`p${i}`, first, sorted[i + 1]! - 1)] : [],
        );
        const stretches = stretchesOf([...carved, pool('shared', 4096, SPACE_LAST)]);
        expect(stretches[0]!.first).toBe(0);
        expect(stretches.at(-1)!.last).toBe(SPACE_LAST);
        for (const [i, { first }] of stretches.entries()) if (i > 0) expect(first).toBe(stretches[i - 1]!.last + 1);
        expect(stretches.filter((one) => one.pool?.name.startsWith('p')).length).toBe(carved.length);
      }),
    );
  });
});

describe('the map', () => {
  const graph = (count: number) => {
    const { networks, sites } = manySites(count);
    const links = sites.flatMap(({ name, networks: own }) => own.map((to) => ({ from: name, to })));
    const degree = (id: string) => links.filter(({ from, to }) => from === id || to === id).length;
    const nodes = [
      ...networks.map(({ name }) => ({ id: name, kind: 'network' as const, degree: degree(name) })),
      ...sites.map(({ name }) => ({ id: name, kind: 'site' as const, degree: degree(name) })),
    ];
    return { nodes, links };
  };

  it.each([3, 50, 500])('has a place of its own for each of %i sites, the same each time', (count) => {
    const { nodes, links } = graph(count);
    const placed = layOut(nodes, links, new Map());
    expect(placed.size).toBe(nodes.length);
    const places = [...placed.values()];
    let closest = Number.POSITIVE_INFINITY;
    for (const [i, a] of places.entries()) {
      for (const b of places.slice(i + 1)) closest = Math.min(closest, Math.hypot(a.x - b.x, a.y - b.y));
    }
    // A site's dot is 9 across where there are many.
    expect(closest).toBeGreaterThan(9);
    if (count < 500) expect(layOut(nodes, links, new Map())).toEqual(placed);
    const frame = frameOf(places, { width: 1200, height: 600 });
    expect(frame.width / frame.height).toBeCloseTo(2);
    for (const { x, y } of places) {
      expect(x).toBeGreaterThan(frame.x);
      expect(y).toBeGreaterThan(frame.y);
      expect(x).toBeLessThan(frame.x + frame.width);
      expect(y).toBeLessThan(frame.y + frame.height);
    }
  });

  it('stays about as it was when a site comes', () => {
    const { nodes, links } = graph(50);
    const before = layOut(nodes, links, new Map());
    const after = layOut(
      [...nodes, { id: 'new', kind: 'site', degree: 1 }],
      [...links, { from: 'new', to: 'backbone' }],
      before,
    );
    const moves = [...before].map(([id, { x, y }]) => Math.hypot(after.get(id)!.x - x, after.get(id)!.y - y));
    const { width } = frameOf(before.values(), { width: 1200, height: 600 });
    expect(Math.max(...moves)).toBeLessThan(width / 4);
  });
});
