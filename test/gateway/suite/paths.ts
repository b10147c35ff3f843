import { expect, test } from 'vitest';
import type { PathReport } from '../../../src/contract/path-report.ts';
import type { Paths } from '../../../src/contract/paths.ts';
import { type Host, newAgent, newTenant, type TestAgent, type TestTenant } from '../host.ts';

const WELL = { state: 'reachable', rttMs: 1.25, asked: 32, lost: 0, mtu: 1500, neededMtu: 1500, hears: true } as const;
const LOST = { state: 'unreachable', asked: 12, lost: 12, neededMtu: 1500, hears: false } as const;

export function paths(host: () => Host): void {
  async function report(agent: TestAgent, to?: readonly (Partial<PathReport> & { site: string })[]): Promise<number> {
    const body = { cursor: 'c', version: '1.0.0', networks: [], ...(to && { paths: to }) };
    return (await (await agent.caller()).call('POST', '/v1/agent/heartbeat', body)).status;
  }

  const pathsOf = async ({ admin, at }: TestTenant, site: string) =>
    (await admin.made<Paths>('GET', `${at}/sites/${site}/paths`)).items;

  test('each path between two sites is told as both ends said it, to the tenant and to the sites themselves', async () => {
    const tenant = await newTenant(host());
    const [a, b, c] = [
      await newAgent(host(), tenant, { name: 'a' }),
      await newAgent(host(), tenant, { name: 'b' }),
      await newAgent(host(), tenant, { name: 'c' }),
    ];
    expect(await pathsOf(tenant, 'a')).toEqual([]);
    const tunnel = { ...WELL, site: b.id, transport: 'wireguard', mtu: 1440 } as const;
    expect(await report(a, [{ site: b.id, ...WELL }, tunnel, { site: c.id, ...LOST }])).toBe(204);
    expect(await report(b, [{ site: a.id, ...WELL, rttMs: 1.5 }])).toBe(204);
    const items = await pathsOf(tenant, 'a');
    const reportedAt = expect.stringMatching(/Z$/);
    expect(items).toEqual([
      {
        site: { id: b.id, name: 'b', kind: 'agent' },
        transport: 'plain',
        there: { ...WELL, reportedAt },
        back: { ...WELL, rttMs: 1.5, reportedAt },
      },
      {
        site: { id: b.id, name: 'b', kind: 'agent' },
        transport: 'wireguard',
        there: { ...WELL, mtu: 1440, reportedAt },
      },
      { site: { id: c.id, name: 'c', kind: 'agent' }, transport: 'plain', there: { ...LOST, reportedAt } },
    ]);
    expect(await pathsOf(tenant, c.id)).toEqual([
      { site: { id: a.id, name: 'a', kind: 'agent' }, transport: 'plain', back: { ...LOST, reportedAt } },
    ]);
    expect((await (await a.caller()).get<Paths>('/v1/agent/paths')).body.items).toEqual(items);
  });

  test('an agent that says nothing of paths is heard as ever, and what it said before is no longer told', async () => {
    const tenant = await newTenant(host());
    const [a, b] = [await newAgent(host(), tenant, { name: 'a' }), await newAgent(host(), tenant, { name: 'b' })];
    await report(a, [{ site: b.id, ...WELL }]);
    expect(await report(a)).toBe(204);
    expect(await pathsOf(tenant, 'a')).toEqual([]);
  });

  test('a site of another tenant is in no answer, whatever an agent says of it', async () => {
    const [tenant, other] = [await newTenant(host()), await newTenant(host())];
    const [a, theirs] = [await newAgent(host(), tenant, { name: 'a' }), await newAgent(host(), other, { name: 'b' })];
    await report(a, [
      { site: theirs.id, ...WELL },
      { site: 'nobody', ...WELL },
      { site: a.id, ...WELL },
    ]);
    expect(await pathsOf(tenant, 'a')).toEqual([]);
    expect(await pathsOf(other, 'b')).toEqual([]);
    expect((await (await theirs.caller()).get<Paths>('/v1/agent/paths')).body.items).toEqual([]);
    expect((await tenant.admin.get(`${other.at}/sites/b/paths`)).status).toBe(404);
  });

  test('what is no figure of a path is refused by its name, and more of them than there may be', async () => {
    const agent = await newAgent(host(), await newTenant(host()));
    const caller = await agent.caller();
    const said = async (paths: readonly object[]) => {
      const body = { cursor: 'c', version: '1.0.0', networks: [], paths };
      const answer = await caller.call<{ errors: { path: string; message: string }[] }>(
        'POST',
        '/v1/agent/heartbeat',
        body,
      );
      return [answer.status, answer.body?.errors?.[0]?.path];
    };
    expect(await said([{ site: 's', ...WELL, rttMs: -1 }])).toEqual([400, 'paths.0.rttMs']);
    expect(await said([{ site: 's', ...WELL, state: 'lazy' }])).toEqual([400, 'paths.0.state']);
    expect(await said(Array(1001).fill({ site: 's', ...WELL }))).toEqual([400, 'paths']);
  });
}
