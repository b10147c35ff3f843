/** An agent's watch socket in a test's hands. */
import * as v from 'valibot';
import { WebSocket } from 'ws';
import { type Live, LiveSchema } from '../../src/contract/live.ts';
import type { TableUpdate } from '../../src/contract/table.ts';
import { PING, type Push, PushSchema } from '../../src/contract/watch.ts';
import type { Host, TestAgent, TestTenant } from './host.ts';

/** workerd ends a connection long after it has said so in the close frame. */
const CLOSE_TIMEOUT_MS = 100;

export interface Closed {
  readonly code: number;
  readonly reason: string;
}

export class TestWatcher {
  readonly closed: Promise<Closed>;
  readonly #socket: WebSocket;
  readonly #messages: string[] = [];
  #waiting: (() => void)[] = [];

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('error', () => {});
    socket.on('message', (data) => {
      this.#messages.push(String(data));
      for (const wake of this.#waiting.splice(0)) wake();
    });
    this.closed = new Promise((resolve) => {
      socket.once('close', (code, reason) => resolve({ code, reason: String(reason) }));
    });
  }

  /** The next message as text. */
  async text(): Promise<string> {
    while (this.#messages.length === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.#messages.shift()!;
  }

  async push(): Promise<Push> {
    return v.parse(PushSchema, JSON.parse(await this.text()));
  }

  /** The next message to one who looks, of a type that is wanted: what comes before it is passed over. */
  async live<T extends Live['type']>(type: T): Promise<Extract<Live, { type: T }>> {
    for (;;) {
      const message = v.parse(LiveSchema, JSON.parse(await this.text()));
      if (message.type === type) return message as Extract<Live, { type: T }>;
    }
  }

  async delta(): Promise<Extract<Push, { type: 'delta' }>> {
    const push = await this.push();
    if (push.type !== 'delta') throw new Error(`a ${push.type}, not a delta`);
    return push;
  }

  /** Everything that was sent before the answer to a ping, which is asked for now. */
  async untilPong(): Promise<Push[]> {
    this.send(PING);
    const pushes: Push[] = [];
    for (let text = await this.text(); text !== 'pong'; text = await this.text()) pushes.push(JSON.parse(text) as Push);
    return pushes;
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  at(cursor: string): void {
    this.send(JSON.stringify({ type: 'at', cursor }));
  }

  close(): void {
    this.#socket.close();
  }
}

/** @returns the open socket, or the status with which it was refused. */
export async function tryWatch(
  host: Pick<Host, 'url'>,
  agent: Pick<TestAgent, 'caller'>,
  cursor: string,
): Promise<TestWatcher | { status: number; headers: Record<string, unknown> }> {
  const { credential } = await agent.caller();
  const path = `/v1/agent/watch?cursor=${encodeURIComponent(cursor)}`;
  return tryOpen(host, path, { authorization: `Bearer ${credential}` });
}

function tryOpen(
  host: Pick<Host, 'url'>,
  path: string,
  headers: Record<string, string>,
): Promise<TestWatcher | { status: number; headers: Record<string, unknown> }> {
  const options = { headers, closeTimeout: CLOSE_TIMEOUT_MS };
  const socket = new WebSocket(`${host.url.replace(/^http/, 'ws')}${path}`, options);
  const watcher = new TestWatcher(socket);
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve(watcher));
    socket.once('unexpected-response', (_, response) => {
      resolve({ status: response.statusCode ?? 0, headers: response.headers });
      socket.terminate();
    });
    socket.once('error', reject);
  });
}

export async function watch(
  host: Pick<Host, 'url'>,
  agent: Pick<TestAgent, 'caller'>,
  cursor: string,
): Promise<TestWatcher> {
  const watcher = await tryWatch(host, agent, cursor);
  if (!(watcher instanceof TestWatcher)) throw new Error(`watch: ${watcher.status}`);
  return watcher;
}

/** @returns the open socket of one who looks at the tenant, or the status with which it was refused. */
export async function tryLook(
  host: Pick<Host, 'url'>,
  tenant: Pick<TestTenant, 'at'>,
  headers: Record<string, string>,
): Promise<TestWatcher | number> {
  const opened = await tryOpen(host, `${tenant.at}/live`, headers);
  return opened instanceof TestWatcher ? opened : opened.status;
}

export async function look(
  host: Pick<Host, 'url'>,
  tenant: Pick<TestTenant, 'at'>,
  headers: Record<string, string>,
): Promise<TestWatcher> {
  const opened = await tryLook(host, tenant, headers);
  if (!(opened instanceof TestWatcher)) throw new Error(`live: ${opened}`);
  return opened;
}

/** What the agent gets when it asks; null where nothing is new. */
export async function pull(agent: TestAgent, cursor = ''): Promise<TableUpdate | null> {
  const caller = await agent.caller();
  const { status, body } = await caller.get<TableUpdate>(`/v1/agent/tables?cursor=${cursor}`);
  if (status === 304) return null;
  if (status !== 200) throw new Error(`pull: ${status} ${JSON.stringify(body)}`);
  return body;
}
