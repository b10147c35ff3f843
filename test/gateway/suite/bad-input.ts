import { expect, test } from 'vitest';
import { type Host, newTenant } from '../host.ts';

export function badInput(host: () => Host): void {
  test.for([
    [{ name: 'with spaces' }, 'name', 'no spaces'],
    [{}, 'name', 'is missing'],
    [{ name: 'a', vni: 0 }, 'vni', '1 to 16777215'],
    [{ name: 'a', vni: 2 ** 24 }, 'vni', '1 to 16777215'],
    [{ name: 'a', vni: '12' }, 'vni', 'whole number'],
    [{ name: 'a', vni: 4.5 }, 'vni', 'whole number'],
    [{ name: 'a', mtu: 100 }, 'mtu', '576 to 65535'],
    [{ name: 'a', subnet: '10.0.0.1/24' }, 'subnet', 'such as 10.20.0.0/24'],
    [{ name: 'a', flood: 'sometimes' }, 'flood', '"headend"'],
    [{ name: 'a', multicastGroup: '10.0.0.1' }, 'multicastGroup', 'multicast address'],
    [{ name: 'a', colour: 'red' }, 'colour', 'not a field'],
    [{ name: 'a', arpSuppression: 'yes' }, 'arpSuppression', 'true or false'],
  ] as const)('a network of %j is refused at %s', async ([body, path, message]) => {
    const { admin, at } = await newTenant(host());
    const refused = await admin.refused('POST', `${at}/networks`, body);
    expect(refused).toMatchObject({ status: 400, code: 'invalid_body' });
    expect(refused.errors).toContainEqual({ path, message: expect.stringContaining(message) });
    expect(refused.detail).toContain(path);
    expect((await admin.made<{ items: unknown[] }>('GET', `${at}/networks`)).items).toEqual([]);
  });

  test.for([
    [{ port: { type: 'host', name: 'sixteen-letters-' } }, 'port.name', '1 to 15 characters'],
    [{ port: { type: 'host', name: 'a b' } }, 'port.name', 'without spaces'],
    [{ port: { type: 'vlan', interface: 'eth0', vid: 4095 } }, 'port.vid', '1 to 4094'],
    [{ port: { type: 'tunnel' } }, 'port.type', '{type: "host", name}'],
    [{ port: { type: 'none', name: 'x' } }, 'port.name', 'not a field'],
    [{}, 'port', 'is missing'],
  ] as const)('an attachment of %j is refused at %s', async ([body, path, message]) => {
    const { admin, at } = await newTenant(host());
    const refused = await admin.refused('PUT', `${at}/sites/s/networks/n`, body);
    expect(refused.errors).toContainEqual({ path, message: expect.stringContaining(message) });
  });

  test.for([
    [{ name: 's', kind: 'static', vtep: { address: '10.0.0.256' } }, 'vtep.address', 'IPv4 or IPv6 address'],
    [{ name: 's', kind: 'static', vtep: { address: '224.0.0.1' } }, 'vtep.address', 'not multicast'],
    [{ name: 's', kind: 'static', vtep: { address: '10.0.0.1', port: 0 } }, 'vtep.port', '1 to 65535'],
    [{ name: 's', kind: 'agent', vtep: { address: '10.0.0.1' } }, 'kind', 'enrolment'],
  ] as const)('a site of %j is refused at %s', async ([body, path, message]) => {
    const { admin, at } = await newTenant(host());
    const refused = await admin.refused('POST', `${at}/sites`, body);
    expect(refused.errors).toContainEqual({ path, message: expect.stringContaining(message) });
  });

  test('all that is wrong is told at once', async () => {
    const { admin, at } = await newTenant(host());
    const refused = await admin.refused('POST', `${at}/networks`, { name: ' ', vni: 0, mtu: 1, more: 1 });
    expect(refused.errors?.map(({ path }) => path)).toEqual(['name', 'vni', 'mtu', 'more']);
    expect(refused.detail).toContain('and 3 more');
  });

  test('JSON cut in half, no body, and what is no object are each 400; another content type is 415', async () => {
    const { admin, at } = await newTenant(host());
    const send = (body: string, type = 'application/json') =>
      admin.send('POST', `${at}/networks`, { body, headers: { 'content-type': type } });
    expect(await send('{"name": "a", "vn')).toMatchObject({ status: 400, body: { code: 'invalid_json' } });
    expect(await send('')).toMatchObject({ status: 400, body: { code: 'invalid_json' } });
    expect(await send('"text"')).toMatchObject({
      status: 400,
      body: { code: 'invalid_body', detail: 'must be a JSON object' },
    });
    expect(await send('null')).toMatchObject({ status: 400, body: { code: 'invalid_body' } });
    expect(await send('{"name":"a"}', 'text/plain')).toMatchObject({
      status: 415,
      body: { code: 'unsupported_media_type' },
    });
    expect(await send('{"name":"a"}', 'application/json; charset=utf-8')).toMatchObject({ status: 201 });
  });

  test('a body of 10 MB is 413, whether it says its size or not, and nothing is made', async () => {
    const { admin, at } = await newTenant(host());
    const body = `{"name": "large", "description": "${' '.repeat(10_000_000)}"}`;
    const chunks = () => new Blob([body]).stream();
    for (const init of [() => ({ body }), () => ({ body: chunks(), duplex: 'half' })]) {
      const refused = await answered(() => admin.send('POST', `${at}/networks`, init() as RequestInit));
      expect(refused).toMatchObject({ status: 413, body: { code: 'body_too_large' } });
    }
    expect((await admin.made<{ items: unknown[] }>('GET', `${at}/networks`)).items).toEqual([]);
  });
}

/**
 * An answer that comes before all is sent may be lost with its connection (RFC 9112 §9.6), to us or to the proxy that stands before a
 * local workerd: then it is asked for again.
 */
async function answered<T extends { readonly body: unknown }>(ask: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const answer = await ask().catch((error: Error) => error);
    const isLost = answer instanceof Error || answer.body === 'Error: Network connection lost.';
    if (!isLost) return answer;
    if (attempt === 20) throw new Error('no answer in 20 attempts', { cause: answer });
  }
}
