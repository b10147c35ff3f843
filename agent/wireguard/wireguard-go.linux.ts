/** WireGuard in userspace: a `wireguard-go` process of ours for each device, told what to do over its socket. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createConnection } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import type { WireguardBackend } from './backend.ts';
import type { PeerChanges } from './peers.ts';
import { formatIdentity, formatPeerChanges, GET, parseErrno, parseHandshakes } from './uapi.ts';
import { WireguardError } from './wireguard-error.ts';

const PROGRAM = 'wireguard-go';
const START_MS = 5000;
const LOOK_MS = 10;
const ANSWER_MS = 5000;

export function hasWireguardGo(): boolean {
  return spawnSync(PROGRAM, ['--version'], { stdio: 'ignore' }).error === undefined;
}

export class WireguardGo implements WireguardBackend {
  readonly name: string;
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;
  #lastWords = '';
  #isRunning = true;

  private constructor(name: string, log: (line: string) => void) {
    this.name = name;
    // In the foreground it is our child: we hear of its end. Its network device goes with it.
    this.#child = spawn(PROGRAM, [name], {
      env: { ...process.env, WG_PROCESS_FOREGROUND: '1', LOG_LEVEL: 'error' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      createInterface({ input: stream }).on('line', (line) => {
        if (!/^(ERROR|panic|fatal)/i.test(line)) return;
        this.#lastWords = line;
        log(line);
      });
    }
    this.ended = new Promise((resolve) => {
      const end = (): void => {
        this.#isRunning = false;
        resolve();
      };
      this.#child.once('exit', end);
      this.#child.once('error', (error) => {
        this.#lastWords = error.message;
        end();
      });
    });
  }

  /** @returns one that answers. @throws WireguardError */
  static async start(name: string, log: (line: string) => void): Promise<WireguardGo> {
    const process = new WireguardGo(name, log);
    const deadline = performance.now() + START_MS;
    while (process.#isRunning && performance.now() < deadline) {
      try {
        await process.#ask(GET);
        return process;
      } catch {
        await setTimeout(LOOK_MS);
      }
    }
    await process.stop();
    throw new WireguardError(`${PROGRAM} does not start: ${process.#lastWords || 'it does not answer'}`);
  }

  async setIdentity(privateKey: string, port: number): Promise<void> {
    await this.#ask(formatIdentity(privateKey, port));
  }

  async setPeers(changes: PeerChanges): Promise<void> {
    await this.#ask(formatPeerChanges(changes));
  }

  async handshakes(): Promise<ReadonlyMap<string, number>> {
    return parseHandshakes(await this.#ask(GET));
  }

  /** Ends it, and its network device with it. */
  async stop(): Promise<void> {
    if (this.#isRunning) this.#child.kill();
    await this.ended;
  }

  /** @returns the answer, whose errno is 0. @throws WireguardError */
  async #ask(request: string): Promise<string> {
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = createConnection(`/var/run/wireguard/${this.name}.sock`);
      let text = '';
      socket.setEncoding('utf8').setTimeout(ANSWER_MS, () => socket.destroy(new Error('it does not answer')));
      socket.once('connect', () => socket.write(request));
      socket.on('data', (data: string) => {
        text += data;
        if (!text.endsWith('\n\n')) return;
        resolve(text);
        socket.destroy();
      });
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('it hung up')));
    }).catch((error: Error) => {
      throw new WireguardError(`${PROGRAM} can't be asked: ${error.message}`);
    });
    const errno = parseErrno(answer);
    if (errno !== 0) throw new WireguardError(`${PROGRAM} refuses what it is told (errno ${errno})`);
    return answer;
  }
}
