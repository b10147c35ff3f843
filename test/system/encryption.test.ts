/** Encrypted networks on a real underlay: what their sites carry, and what anyone else sees of it. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AgentStatus } from '../../agent/control/status.ts';
import type { Finding } from '../../agent/doctor/finding.ts';
import { isProbe as isVxlanProbe } from '../../agent/wire/probe.ts';
import type { Program } from '../../demo/lab/program.ts';
import { AGENT_ARGV, type Site, UNDERLAY_DEV } from '../../demo/lab/site.ts';
import { until } from '../../demo/lab/until.ts';
import { createLab, type Lab } from '../../demo/lab.ts';
import type { Site as SiteRecord } from '../../src/contract/sites.ts';
import { TUNNEL_VXLAN_PORT } from '../../src/contract/wireguard.ts';
import { describeTapLab } from '../lab/describe-lab.ts';
import { missingProgram } from '../lab/missing-program.ts';
import { VXLAN_PORT } from './agents.ts';
import { datapathLacks } from './lacks.ts';
import { Overlay } from './overlay.ts';

const MARK = new TextEncoder().encode('what only its tenant may read');
const KEY_FILE = 'wireguard.json';
const missing = missingProgram('wireguard-go', 'wireguard-go');
const missingNft = missingProgram('nft', 'nftables');

(missing === null ? describeTapLab : describe.skip)(`sites of an encrypted network${missing ?? ''}`, () => {
  let lab: Lab;
  let overlay: Overlay;
  let a: Site;
  let b: Site;
  let c: Site;
  let agentB: Program;
  let datapathB: 'kernel' | 'userspace';

  beforeAll(async () => {
    lab = await createLab();
    overlay = new Overlay(lab);
    await overlay.start();
    [a, b, c] = (await lab.sites('a', 'b', 'c')) as [Site, Site, Site];
    await overlay.tenant('acme', 'blue');
    await overlay.call('POST', '/v1/tenants/acme/networks', { name: 'red', transport: 'wireguard' });
    // One by each data path, where the kernel has one.
    const [ofA, ofB] = [
      { red: '192.168.8.1/24', blue: '192.168.9.1/24' },
      { red: '192.168.8.2/24', blue: '192.168.9.2/24' },
    ];
    datapathB = datapathLacks() === null ? 'kernel' : 'userspace';
    await overlay.join('acme', a, ofA, undefined, { datapath: 'userspace' });
    agentB = await overlay.join('acme', b, ofB, undefined, { datapath: datapathB });
    await overlay.converged('acme');
  });
  afterAll(() => lab?.dispose());

  /** Pings until one gets through. */
  async function untilPing(from: Site, to: string): Promise<void> {
    const got = async () => (await from.ping(to, { count: 1, timeoutMs: 300 })).received > 0;
    await until(`${from.name} to reach ${to}`, got, { timeoutMs: 15_000 });
  }

  /** Its exit code says only that not all is well. */
  function statusText(site: Site, ...flags: readonly string[]): Promise<string> {
    const argv = [...AGENT_ARGV, 'status', ...flags, '--state', overlay.stateOf(site)].join(' ');
    return site.exec(['sh', '-c', `${argv} || true`]);
  }

  async function statusOf(site: Site): Promise<AgentStatus> {
    return JSON.parse(await statusText(site, '--json')) as AgentStatus;
  }

  async function recordOf(site: Site): Promise<SiteRecord> {
    return overlay.call<SiteRecord>('GET', `/v1/tenants/acme/sites/${site.name}`);
  }

  /** UDP over the tunnel with the mark in it. */
  async function sendMark(from: Site, to: string): Promise<void> {
    await from.send(to, 9, [MARK]);
  }

  it('reach each other, with what WireGuard leaves of the underlay’s MTU; the plain network beside it has its own', async () => {
    await untilPing(a, '192.168.8.2');
    expect(await a.ping('192.168.8.2')).toMatchObject({ received: 5 });
    expect(await a.ping('192.168.9.2')).toMatchObject({ received: 5 });
    await a.transfer(b, '192.168.8.2', 5_000_000);
    const { networks } = await statusOf(a);
    const mtus = Object.fromEntries(networks.map(({ name, mtu }) => [name, mtu]));
    expect(mtus).toEqual({ red: 1500 - 60 - 70, blue: 1450 });
    expect((await recordOf(a)).networks.find(({ name }) => name === 'red')).toMatchObject({ mtu: mtus.red });
    expect(await a.ping('192.168.8.2', { count: 1, size: 1500 - 60 - 70 - 28 })).toMatchObject({ received: 1 });
  });

  it('know of each path what it is like within the tunnel and beside it, and doctor knows of a session with each peer', async () => {
    for (const site of [a, b]) {
      const { peers } = await until(
        'both paths to be known',
        async () => {
          const status = await statusOf(site);
          const known = status.peers?.filter(({ path }) => path?.mtu !== undefined && path.hears);
          return known?.length === 2 ? status : undefined;
        },
        { timeoutMs: 20_000 },
      );
      const pathBy = (transport: string) => peers!.find(({ path }) => path!.transport === transport)?.path;
      expect(pathBy('plain')).toMatchObject({ state: 'reachable', mtu: 1500 });
      expect(pathBy('wireguard')).toMatchObject({ state: 'reachable', mtu: 1500 - 60, carriesNeeded: true });
    }
    const text = await a.exec([...AGENT_ARGV, 'doctor', '--json', '--state', overlay.stateOf(a)]);
    const { findings } = JSON.parse(text) as { findings: readonly Finding[] };
    expect(findings.filter(({ check }) => check === 'encryption')).toMatchObject([
      { verdict: 'pass', says: 'there is a session with every peer' },
    ]);
  });

  it('show nobody on the underlay a frame of it, while the plain network’s are there to be read', async () => {
    const sniffer = await b.sniff(UNDERLAY_DEV);
    await sendMark(a, '192.168.8.2');
    await a.ping('192.168.8.2');
    await sendMark(a, '192.168.9.2');
    await sniffer.frame(({ bytes }) => includes(bytes, MARK));
    const frames = await sniffer.stop();
    const { vni: plain } = await overlay.call<{ vni: number }>('GET', '/v1/tenants/acme/networks/blue');
    expect(frames.filter(({ view }) => isWireguard(view)).length).toBeGreaterThanOrEqual(10);
    const vxlan = frames.filter(({ view }) => udpPortOf(view) === VXLAN_PORT || udpPortOf(view) === TUNNEL_VXLAN_PORT);
    expect(vxlan.length).toBeGreaterThan(0);
    // All VXLAN that is to be seen is of the plain network.
    expect(vxlan.filter(({ view }) => !isProbe(view) && view.getUint32(14 + 20 + 8 + 4) >>> 8 !== plain)).toEqual([]);
  });

  it.each([
    ['the first', () => [a, b]],
    ['the second', () => [b, a]],
  ] as const)('take no frame that comes beside the tunnel, though its addresses are right: %s', async (_, sites) => {
    const [here, there] = sites() as [Site, Site];
    const [to, from] = (await Promise.all([recordOf(here), recordOf(there)])).map((it) => it.wireguard![0]!.address);
    const { vni } = await overlay.call<{ vni: number }>('GET', '/v1/tenants/acme/networks/red');
    const { vni: plain } = await overlay.call<{ vni: number }>('GET', '/v1/tenants/acme/networks/blue');
    const frame = (of: number) => {
      const header = [8, 0, 0, 0, of >>> 16, (of >>> 8) & 0xff, of & 0xff, 0];
      return Uint8Array.of(...header, ...Array(6).fill(0xff), 2, 0, 0, 0, 0, 9, 0x88, 0xb5, ...MARK);
    };
    // A stranger with a peer's address.
    await c.ip(`address add ${from}/128 dev lo nodad`, `route add ${to}/128 via ${here.v6} dev ${UNDERLAY_DEV}`);
    const [outside, inside] = [
      await here.sniff(UNDERLAY_DEV, { contains: MARK }),
      await here.sniff('red', { contains: MARK }),
    ];
    await c.send(to!, TUNNEL_VXLAN_PORT, [frame(vni)], { from: from! });
    await there.send(here.v4, VXLAN_PORT, [frame(vni)], { from: there.v4 });
    for (let i = 0; i < 2; i++) await outside.frame(() => outside.frames.length > i);
    await c.ip(`address del ${from}/128 dev lo`, `route del ${to}/128 via ${here.v6} dev ${UNDERLAY_DEV}`);
    // The other way round: the plain network's number, by the tunnel.
    const blue = await here.sniff('blue', { contains: MARK });
    await there.send(to!, TUNNEL_VXLAN_PORT, [frame(plain), frame(vni)], { from: from! });
    // What is right in all is let in, after those that were not.
    await inside.frame(() => inside.frames.length > 0);
    expect(await inside.stop()).toHaveLength(1);
    expect(await blue.stop()).toEqual([]);
  });

  it('let none out beside the tunnel where routes lead there, if it is the kernel that carries it', async (test) => {
    if (datapathB !== 'kernel') return test.skip();
    const [to, from] = (await Promise.all([recordOf(a), recordOf(b)])).map((it) => it.wireguard![0]!.address);
    const { vni } = await overlay.call<{ vni: number }>('GET', '/v1/tenants/acme/networks/red');
    const [ours, others] = [vni, 77].map((of) => Uint8Array.of(8, 0, 0, 0, of >>> 16, (of >>> 8) & 0xff, of & 0xff, 0));
    await b.ip(`route add ${to}/128 via ${a.v6} dev ${UNDERLAY_DEV}`);
    await expect(b.send(to!, TUNNEL_VXLAN_PORT, [ours!], { from: from! })).rejects.toThrow(/EPERM/);
    // Another agent of the host may use the port in its own way.
    await b.send(to!, TUNNEL_VXLAN_PORT, [others!], { from: from! });
    // The agent's own entries name the device, whatever the routes are.
    await untilPing(a, '192.168.8.2');
    await b.ip(`route del ${to}/128 via ${a.v6} dev ${UNDERLAY_DEV}`);
  });

  it('change a key under traffic: nothing of a stream is lost, and a transfer goes on', async () => {
    const { wireguard: before } = await statusOf(b);
    const stream = a.startPing('192.168.8.2', { intervalMs: 1, timeoutMs: 1000 });
    const argv = [...AGENT_ARGV, 'rotate-key', '--wireguard', '--state', overlay.stateOf(b)];
    expect(await b.exec(argv)).toMatch(/goes over to the WireGuard key/);
    const moved = async () => {
      await a.transfer(b, '192.168.8.2', 200_000);
      const { wireguard } = await statusOf(b);
      return wireguard?.moving === undefined && wireguard?.publicKey !== before?.publicKey;
    };
    await until('the new key alone', moved, { timeoutMs: 20_000 });
    await a.ping('192.168.8.2');
    const { sent, received } = await stream.stop();
    expect(sent).toBeGreaterThan(1000);
    expect(received).toBe(sent);
    const { wireguard } = await recordOf(b);
    expect(wireguard).toHaveLength(1);
    expect(readFileSync(join(overlay.stateOf(b), KEY_FILE), 'utf8')).not.toContain(before?.publicKey);
  });

  it('come back when WireGuard or the agent is killed, or restarted, with one device', async () => {
    const child = async () => {
      const { pid } = agentB.child;
      return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ')[0]);
    };
    const wireguardGo = await child();
    process.kill(wireguardGo, 'SIGKILL');
    await agentB.line(/a WireGuard device is gone/);
    await untilPing(a, '192.168.8.2');
    for (const end of ['SIGKILL', 'SIGUSR2'] as const) {
      agentB.child.kill(end);
      await agentB.ended;
      agentB = await b.agent({ state: overlay.stateOf(b), datapath: datapathB });
      await untilPing(a, '192.168.8.2');
      expect((await b.exec(['ip', '-o', 'link'])).match(/ovlwg/g)).toHaveLength(1);
    }
  });

  it('say that nothing is carried for as long as WireGuard can’t be had again, whatever is mended meanwhile', async () => {
    await agentB.stop();
    const programs = join(lab.folder, 'programs');
    const program = join(programs, 'wireguard-go');
    const path = (await b.exec(['sh', '-c', 'command -v wireguard-go'])).trim();
    mkdirSync(programs);
    symlinkSync(path, program);
    const argv = [
      'env',
      `PATH=${programs}`,
      ...AGENT_ARGV,
      'run',
      '--state',
      overlay.stateOf(b),
      '--datapath',
      datapathB,
    ];
    agentB = b.spawn(argv);
    await agentB.line(/"msg":"running"/);
    await b.address('red', '192.168.8.2/24');
    await untilPing(a, '192.168.8.2');
    rmSync(program);
    const links = (): Promise<string> => b.exec(['ip', '-o', 'link']);
    await b.ip(`link del ${/ovlwg\w+/.exec(await links())![0]}`);
    await agentB.line(/is not carried: not carried, since it must be encrypted.*wireguard-go/);
    const seen = agentB.lines.length;
    await b.ip('link set red down');
    await until('the interface to be mended', async () => /red: <[^>]*\bUP\b/.test(await links()));
    expect((await statusOf(b)).networks.find(({ name }) => name === 'red')?.error).toMatch(/wireguard-go/);
    symlinkSync(path, program);
    await agentB.line(/is carried now/);
    expect(agentB.lines.slice(seen).filter((line) => line.includes('is carried now'))).toHaveLength(1);
    await untilPing(a, '192.168.8.2');
  });

  it('with a key that is not the one they published, pass nothing', async () => {
    await agentB.stop();
    expect(await b.exec(['ip', '-o', 'link'])).not.toMatch(/ovlwg|red/);
    const path = join(overlay.stateOf(b), KEY_FILE);
    const right = readFileSync(path, 'utf8');
    const { keys } = JSON.parse(right) as { keys: { privateKey: string }[] };
    const other = Buffer.from(generateKeyPairSync('x25519').privateKey.export({ format: 'jwk' }).d!, 'base64url');
    writeFileSync(path, JSON.stringify({ keys: [{ ...keys[0], privateKey: other.toString('base64') }] }));
    agentB = await b.agent({ state: overlay.stateOf(b), datapath: datapathB });
    await b.address('red', '192.168.8.2/24');
    await b.address('blue', '192.168.9.2/24');
    await untilPing(a, '192.168.9.2');
    const sniffer = await b.sniff(UNDERLAY_DEV);
    expect(await a.ping('192.168.8.2', { count: 3, timeoutMs: 500 })).toMatchObject({ received: 0 });
    // It tries: first messages of handshakes, which stay without an answer.
    await sniffer.frame(({ view }) => isWireguard(view));
    await sniffer.stop();
    await agentB.stop();
    writeFileSync(path, right);
    agentB = await b.agent({ state: overlay.stateOf(b), datapath: datapathB });
    await b.address('red', '192.168.8.2/24');
    await untilPing(a, '192.168.8.2');
  });

  it('where there is no WireGuard carry nothing of it, say so, and are given nothing', async () => {
    await overlay.enrol('acme', c, ['red', 'blue'], { type: 'host' }, ['--vtep-address', c.v4]);
    const agent = c.spawn(['env', 'PATH=/nowhere', ...AGENT_ARGV, 'run', '--state', overlay.stateOf(c)]);
    await agent.line(/not carried.*wireguard-go/);
    await c.address('blue', '192.168.9.3/24');
    await untilPing(a, '192.168.9.3');
    await expect(c.exec(['ip', 'link', 'show', 'red'])).rejects.toThrow(/does not exist/);
    const site = await until('its report', async () => {
      const record = await recordOf(c);
      return record.networks.every(({ appliedRevision }) => appliedRevision !== undefined) ? record : undefined;
    });
    expect(site.networks.find(({ name }) => name === 'red')).toMatchObject({
      error: expect.stringMatching(/wireguard-go/),
    });
    await agent.stop();
    // With it, it is one of them.
    await c.agent({ state: overlay.stateOf(c) });
    await c.address('red', '192.168.8.3/24');
    await untilPing(a, '192.168.8.3');
    await untilPing(b, '192.168.8.3');
  });

  describe.skipIf(missingNft !== null)(`behind a NAT that changes their port${missingNft ?? ''}`, () => {
    let [router, inner, router2, inner2]: Site[] = [];
    beforeAll(async () => {
      [router, inner, router2, inner2] = await lab.sites('router', 'inner', 'router2', 'inner2');
      await Promise.all([
        joinBehind(router!, inner!, '10.99.0', '192.168.8.9/24'),
        joinBehind(router2!, inner2!, '10.98.0', '192.168.8.10/24'),
      ]);
    });

    /** A site that has nothing but a router before it, which sends out what comes from it by ports of its own. */
    async function joinBehind(nat: Site, site: Site, subnet: string, address: string): Promise<void> {
      await site.ip(
        `link set ${UNDERLAY_DEV} down`,
        `link add wan type veth peer name inside netns ${nat.namespace}`,
        `address add ${subnet}.2/24 dev wan`,
        'link set wan up',
      );
      await nat.ip(`address add ${subnet}.1/24 dev inside`, 'link set inside up');
      await site.ip(`route add default via ${subnet}.1`);
      await nat.exec(['sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward']);
      const rules = `table ip nat {
        chain out {
          type nat hook postrouting priority 100
          oifname "${UNDERLAY_DEV}" ip protocol udp masquerade to :40000-40099
          oifname "${UNDERLAY_DEV}" masquerade
        }
        chain in {
          type nat hook prerouting priority -100
        }
        chain closed {
          type filter hook input priority 0
          iifname "${UNDERLAY_DEV}" ct state new drop
        }
      }`;
      await nat.exec(['nft', '-f', '-'], { input: rules });
      await overlay.enrol('acme', site, ['red']);
      await site.agent({ state: overlay.stateOf(site) });
      await site.address('red', address);
    }

    it('reach the others and are reached', async () => {
      await untilPing(inner!, '192.168.8.1');
      expect(await a.ping('192.168.8.9')).toMatchObject({ received: 5 });
      await a.transfer(inner!, '192.168.8.9', 2_000_000);
      expect((await recordOf(inner!)).wireguard).toMatchObject([{ endpoint: { address: router!.v4 } }]);
    });

    it('don’t reach each other, and say why and what to do, until one of the NATs forwards its ports', async () => {
      await untilPing(inner2!, '192.168.8.1');
      const { wireguard: [there] = [] } = await recordOf(inner2!);
      const told = await until(
        'the status to say so',
        async () =>
          (await statusOf(inner!)).wireguard?.withoutSession.find(({ address }) => address === there!.address),
        { timeoutMs: 20_000 },
      );
      expect(told.endpoint).toMatchObject({ address: router2!.v4, port: 51_820 });
      expect(await statusText(inner!)).toMatch(
        /no WireGuard session with fd9c.* both sites are behind NATs, neither can/,
      );
      expect(await inner!.ping('192.168.8.10', { count: 3, timeoutMs: 300 })).toMatchObject({ received: 0 });
      const forward = `iifname "${UNDERLAY_DEV}" udp dport 51820-51821 dnat to 10.98.0.2`;
      await router2!.exec(['nft', `add rule ip nat in ${forward}`]);
      await untilPing(inner!, '192.168.8.10');
    });
  });
});

function includes(bytes: Uint8Array, part: Uint8Array): boolean {
  return Buffer.from(bytes).includes(Buffer.from(part));
}

/** The destination port of UDP over IPv4 or IPv6, else 0. */
function udpPortOf(view: DataView): number {
  if (view.byteLength < 64) return 0;
  const isIpv6 = view.getUint16(12) === 0x86dd;
  const protocol = view.getUint8(isIpv6 ? 14 + 6 : 14 + 9);
  return protocol === 17 ? view.getUint16(14 + (isIpv6 ? 40 : 20) + 2) : 0;
}

function isWireguard(view: DataView): boolean {
  return udpPortOf(view) === 51_820 || udpPortOf(view) === 51_821;
}

/** One of an agent asking about the path. */
function isProbe(view: DataView): boolean {
  return isVxlanProbe(view, 14 + 20 + 8, view.byteLength - (14 + 20 + 8));
}
