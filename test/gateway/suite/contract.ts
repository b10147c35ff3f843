/** Agents of another version of the contract: what is newer is passed over, what is another language is refused in words. */
import { expect, test } from 'vitest';
import type { Problem } from '../../../src/contract/errors.ts';
import type { Snapshot } from '../../../src/contract/table.ts';
import { CONTRACT_HEADER, CONTRACT_VERSION } from '../../../src/contract/version.ts';
import { type AgentKey, enrol, type Host, newAgentKey, newTenant } from '../host.ts';

/** What no version has so far, at every level of a body. */
const NEWER = { fieldOfTomorrow: { nested: [1, 'two'] } };

export function contract(host: () => Host): void {
  async function joined(): Promise<{ key: AgentKey; site: string; vni: number }> {
    const { admin, at } = await newTenant(host());
    const { vni } = await admin.made<{ vni: number }>('POST', `${at}/networks`, { name: 'a' });
    const networks = [{ network: 'a', port: { type: 'host', name: 'tap0' } }];
    const { token } = await admin.made<{ token: string }>('POST', `${at}/join-tokens`, { networks });
    const key = await newAgentKey();
    const vtep = { address: '192.0.2.5', port: 4789, ...NEWER };
    const { status, body } = await enrol(host(), key, { token, vtep, ...NEWER });
    expect(status).toBe(201);
    return { key, site: body.site, vni };
  }

  async function ask<T>(
    { key, site }: { key: AgentKey; site: string },
    method: string,
    path: string,
    version: string | null,
    body?: object,
  ): Promise<{ status: number; body: T; version: string | null }> {
    const response = await fetch(`${host().url}/v1/agent/${path}`, {
      method,
      headers: {
        authorization: `Bearer ${await key.sign(host().url, site)}`,
        ...(version === null ? {} : { [CONTRACT_HEADER]: version }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const parsed = (text === '' ? null : JSON.parse(text)) as T;
    return { status: response.status, body: parsed, version: response.headers.get(CONTRACT_HEADER) };
  }

  test('an agent that is a minor version newer works: what it says beyond this version is passed over', async () => {
    const agent = await joined();
    const table = await ask<Snapshot>(agent, 'GET', 'tables', '1.1');
    expect(table).toMatchObject({ status: 200, version: CONTRACT_VERSION });
    const { cursor, networks } = table.body;
    const [network] = networks;
    const report = { vni: agent.vni, revision: network!.revision, digest: network!.digest, counters: {}, ...NEWER };
    const heartbeat = { cursor, version: '0.2.0', networks: [report], ...NEWER };
    expect(await ask(agent, 'POST', 'heartbeat', '1.1', heartbeat)).toMatchObject({ status: 204 });
    const macs = { announce: [{ vni: agent.vni, mac: '02:00:00:00:00:01', ...NEWER }], withdraw: [], ...NEWER };
    expect(await ask(agent, 'POST', 'macs', '1.1', macs)).toMatchObject({ status: 200, body: { rejected: [] } });
  });

  test('an agent of the first version, which says none, works', async () => {
    const agent = await joined();
    expect(await ask(agent, 'GET', 'tables', null)).toMatchObject({ status: 200, body: { kind: 'snapshot' } });
  });

  test('an agent of another major version is told so, as is one that says nonsense', async () => {
    const agent = await joined();
    for (const version of ['2.0', '0.9', 'latest', '']) {
      expect(await ask<Problem>(agent, 'GET', 'tables', version)).toMatchObject({
        status: 400,
        version: CONTRACT_VERSION,
        body: { code: 'contract_unsupported', detail: expect.stringContaining('upgrade the older of the two') },
      });
    }
  });
}
