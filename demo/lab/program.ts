/** A program that the lab runs: its output is kept, and shown when it fails. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** The newest lines kept of a program's output. */
const KEPT_LINES = 1000;
const STOP_GRACE_MS = 5000;

export interface ProgramOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Written to its standard input, which then ends. */
  readonly input?: string;
  /** Takes the lines of its standard output, which are then not kept. */
  readonly onStdout?: (line: string) => void;
}

export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class Program {
  readonly argv: readonly string[];
  readonly child: ChildProcess;
  /** Resolves when it has ended and all of its output is here; never rejects. */
  readonly ended: Promise<ProgramEnd>;
  readonly #lines: string[] = [];
  readonly #listeners = new Set<() => void>();
  #end: ProgramEnd | undefined;
  #dropped = 0;

  constructor(argv: readonly string[], options: ProgramOptions = {}) {
    this.argv = argv;
    this.child = spawn(argv[0] ?? '', argv.slice(1), {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ['pipe', 'pipe', 'pipe'],
      // Ctrl-C is for the lab, which then ends its programs in order.
      detached: true,
    });
    this.child.stdin?.on('error', () => undefined);
    if (options.input !== undefined) this.child.stdin?.end(options.input);
    const keep = (line: string): void => this.#keep(line);
    createInterface({ input: this.child.stdout! }).on('line', options.onStdout ?? keep);
    createInterface({ input: this.child.stderr! }).on('line', keep);
    this.ended = new Promise((resolve) => {
      const end = (end: ProgramEnd): void => {
        this.#end = end;
        this.#wake();
        resolve(end);
      };
      this.child.once('error', (error) => {
        keep(error.message);
        end({ code: 127, signal: null });
      });
      this.child.once('close', (code, signal) => end({ code, signal }));
    });
  }

  /** What it wrote, to either stream, in the order it came. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  get isRunning(): boolean {
    return this.#end === undefined;
  }

  /** The first line that matches, already written or to come. @throws Error with the output where it ends before, or `timeoutMs` is over. */
  async line(pattern: RegExp, timeoutMs = 10_000): Promise<string> {
    let checked = this.#dropped;
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<'late'>((resolve) => {
      timer = setTimeout(() => resolve('late'), timeoutMs);
    });
    try {
      for (;;) {
        const found = this.#lines.slice(Math.max(0, checked - this.#dropped)).find((line) => pattern.test(line));
        if (found !== undefined) return found;
        if (this.#end !== undefined) throw this.failure(`ended before it said ${pattern}`);
        checked = this.#dropped + this.#lines.length;
        if ((await Promise.race([this.#more(), timeout])) === 'late') {
          throw this.failure(`did not say ${pattern} within ${timeoutMs} ms`);
        }
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Waits for its end. @throws Error with the output where it was not 0. */
  async succeeded(): Promise<this> {
    const { code, signal } = await this.ended;
    if (code !== 0) throw this.failure(signal === null ? `ended with code ${code}` : `was ended by ${signal}`);
    return this;
  }

  /** Asks it to end; after a while, makes it. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', graceMs = STOP_GRACE_MS): Promise<ProgramEnd> {
    if (!this.isRunning) return this.ended;
    this.child.kill(signal);
    const timer = setTimeout(() => this.child.kill('SIGKILL'), graceMs);
    const end = await this.ended;
    clearTimeout(timer);
    return end;
  }

  /** @returns an error that shows the newest lines of its output. */
  failure(what: string, lines = KEPT_LINES): Error {
    const output = this.#lines
      .slice(-lines)
      .map((line) => `  | ${line}`)
      .join('\n');
    return new Error(`${this.argv.join(' ')}: ${what}${output === '' ? '' : `\n${output}`}`);
  }

  #keep(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > KEPT_LINES) {
      this.#lines.shift();
      this.#dropped++;
    }
    this.#wake();
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#listeners.delete(wake);
        resolve();
      };
      this.#listeners.add(wake);
    });
  }

  #wake(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** Runs it to its end. @returns its output. @throws Error with the output where it fails. */
export async function run(argv: readonly string[], options?: ProgramOptions): Promise<string> {
  const program = await new Program(argv, { input: '', ...options }).succeeded();
  return program.lines.join('\n');
}
