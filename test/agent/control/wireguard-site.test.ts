import { createPrivateKey, createPublicKey } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  newWireguardKey,
  openWireguardKeys,
  saveWireguardKeys,
  WIREGUARD_KEY_FILE,
  type WireguardKeyPair,
} from '../../../agent/control/wireguard-keys.ts';
import { WireguardSite } from '../../../agent/control/wireguard-site.ts';
import { Timers } from './timers.ts';

const PORT = 51_820;

/** A site whose gateway, data path and disk are the test's. */
class World {
  readonly timers = new Timers();
  readonly published: string[][] = [];
  disk: readonly WireguardKeyPair[];
  carried: readonly WireguardKeyPair[];
  waitingFor = 0;
  isWarm = true;
  answers: 'published' | 'unavailable' = 'published';
  portIsTaken = false;
  site: WireguardSite;

  constructor(rotateMs: number | null = null) {
    this.disk = [newWireguardKey(PORT, this.timers.nowMs)];
    this.carried = this.disk;
    this.site = this.boot(rotateMs);
  }

  /** As after a restart: by what is on disk. */
  boot(rotateMs: number | null = null): WireguardSite {
    this.carried = this.disk;
    this.site = new WireguardSite({
      publish: async ({ keys }) => {
        if (this.answers === 'unavailable') return { kind: 'unavailable', reason: 'it is away' };
        this.published.push(keys.map(({ publicKey }) => publicKey));
        return { kind: 'published', address: '192.0.2.1', waitingFor: this.waitingFor };
      },
      datapath: {
        setKeys: async (keys) => {
          if (this.portIsTaken && keys.length > 1) throw new Error('UDP port 51821 is in use');
          this.carried = keys;
        },
        isWarm: async () => this.isWarm,
      },
      keys: this.disk,
      save: async (keys) => {
        this.disk = keys;
      },
      port: PORT,
      address: () => undefined,
      rotateMs,
      now: () => this.timers.nowMs,
      random: () => 0.5,
      after: this.timers.after,
      log: () => undefined,
    });
    this.site.start();
    return this.site;
  }

  get keys(): string[] {
    return this.carried.map(({ publicKey }) => publicKey);
  }
}

test('the key is published at the start, again and again until the gateway takes it, and now and then after that', async () => {
  const world = new World();
  world.answers = 'unavailable';
  await world.timers.passSettled(60_000);
  expect(world.site.status().error).toBe('it is away');
  world.answers = 'published';
  await world.timers.passSettled(60_000);
  expect(world.published).toEqual([world.keys]);
  expect(world.site.status()).toEqual({ publicKey: world.keys[0], port: PORT, address: '192.0.2.1' });
  await world.timers.passSettled(3_600_000);
  expect(world.published.length).toBeGreaterThan(4);
});

test('a key is changed in steps, each when all peers have followed: both taken, then sent by the new one, then it alone', async () => {
  const world = new World();
  const [old] = world.keys;
  world.waitingFor = 2;
  const next = await world.site.rotate();
  await world.timers.passSettled(10_000);
  expect([world.keys, world.published.at(-1)]).toEqual([
    [old, next],
    [old, next],
  ]);
  expect(world.site.status()).toMatchObject({ publicKey: old, moving: { publicKey: next, waitingFor: 2 } });
  expect(world.disk.map(({ port }) => port)).toEqual([PORT, PORT + 1]);
  world.waitingFor = 0;
  world.isWarm = false;
  await world.timers.passSettled(10_000);
  expect(world.keys).toEqual([old, next]);
  world.isWarm = true;
  world.waitingFor = 1;
  await world.timers.passSettled(10_000);
  expect(world.keys).toEqual([old, next]);
  world.waitingFor = 0;
  await world.timers.passSettled(600);
  expect([world.keys, world.published.at(-1)]).toEqual([
    [next, old],
    [next, old],
  ]);
  await world.timers.passSettled(5000);
  expect([world.keys, world.published.at(-1)]).toEqual([[next], [next]]);
  expect(world.site.status()).toEqual({ publicKey: next, port: PORT + 1, address: '192.0.2.1' });
});

test('a restart in the middle goes on with the change, at either step, and asking again changes nothing', async () => {
  const world = new World();
  const [old] = world.keys;
  world.waitingFor = 1;
  const next = await world.site.rotate();
  expect(await world.site.rotate()).toBe(next);
  await world.site.stop();
  world.boot();
  await world.timers.passSettled(2000);
  expect(world.keys).toEqual([old, next]);
  world.waitingFor = 0;
  await world.timers.passSettled(600);
  expect(world.keys).toEqual([next, old]);
  await world.site.stop();
  world.boot();
  await world.timers.passSettled(5000);
  expect(world.keys).toEqual([next]);
});

test('a peer that never follows holds a change up for so long, and not for good', async () => {
  const world = new World();
  world.waitingFor = 1;
  const next = await world.site.rotate();
  await world.timers.passSettled(9 * 60_000);
  expect(world.keys).toHaveLength(2);
  await world.timers.passSettled(15 * 60_000);
  expect(world.keys).toEqual([next]);
});

test('where the new key’s port can’t be had, the old one stays, on disk too', async () => {
  const world = new World();
  const { keys } = world;
  world.portIsTaken = true;
  await expect(world.site.rotate()).rejects.toThrow(/51821 is in use/);
  expect([world.keys, world.disk.map(({ publicKey }) => publicKey)]).toEqual([keys, keys]);
});

test('a key that is as old as it may become is changed by itself', async () => {
  const day = 24 * 3600 * 1000;
  const world = new World(7 * day);
  const [old] = world.keys;
  await world.timers.passSettled(6 * day);
  expect(world.keys).toEqual([old]);
  await world.timers.passSettled(2 * day);
  expect(world.keys).not.toContain(old);
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'overlane-wireguard-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('keys are made once, kept for their owner alone, and are what X25519 has', async () => {
  const keys = await openWireguardKeys(folder, PORT, 1);
  expect(statSync(join(folder, WIREGUARD_KEY_FILE)).mode & 0o777).toBe(0o600);
  expect(await openWireguardKeys(folder, PORT, 2)).toEqual(keys);
  const [key] = keys;
  const der = Buffer.concat([
    Buffer.from('302e020100300506032b656e04220420', 'hex'),
    Buffer.from(key!.privateKey, 'base64'),
  ]);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' });
  expect(Buffer.from(x!, 'base64url').toString('base64')).toBe(key!.publicKey);
  const two = [...keys, newWireguardKey(PORT + 1, 2)];
  await saveWireguardKeys(folder, two);
  expect(await openWireguardKeys(folder, PORT, 3)).toEqual(two);
});

test('a key file that others can read, or that is damaged, is refused, and nothing of it is said', async () => {
  const path = join(folder, WIREGUARD_KEY_FILE);
  writeFileSync(path, '{"keys": "secret words"}', { mode: 0o600 });
  await expect(openWireguardKeys(folder, PORT, 1)).rejects.toThrow(/^(?!.*secret).*damaged/);
  chmodSync(path, 0o644);
  await expect(openWireguardKeys(folder, PORT, 1)).rejects.toThrow(/can be read by others/);
});
