/**
 * What the agent says to the service manager that started it, by systemd's protocol (sd_notify(3)): that it is ready, how it stands in
 * one line, and, for its watchdog, that it lives. Nothing is said where no manager asked (`NOTIFY_SOCKET`).
 */

/** How often the line is said anew where the watchdog asks for less. */
const STATUS_SECONDS = 10;

export interface ServiceManagerOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  /** Throws where the manager can't be told; that stops nothing. */
  readonly send: (socketPath: string, text: string) => void;
  /** Calls `act` once after `ms` milliseconds, unless the returned function is called first. */
  readonly after: (ms: number, act: () => void) => () => void;
  /** Resolves when the data path itself has answered: an event loop that turns proves nothing of the thread that forwards. */
  readonly alive: () => Promise<unknown>;
  /** One line. */
  readonly status: () => string;
}

export interface ServiceManager {
  /** Forwarding has begun. */
  ready(): void;
  /** Forwarding ends, in order. */
  stopping(): void;
}

export function openServiceManager(options: ServiceManagerOptions): ServiceManager {
  const { env, after, alive, status } = options;
  const socketPath = env.NOTIFY_SOCKET ?? '';
  if (!/^[/@]./.test(socketPath)) return { ready: () => {}, stopping: () => {} };
  const watchdogMs = watchdogMsOf(options);
  // Twice within the time, as sd_watchdog_enabled(3) has it.
  const everyMs = Math.min(STATUS_SECONDS * 1000, (watchdogMs ?? Number.POSITIVE_INFINITY) / 2);
  let stopped = false;
  let cancel = (): void => {};

  function say(...lines: readonly string[]): void {
    try {
      options.send(socketPath, lines.join('\n'));
    } catch {
      // A manager that hears nothing acts by its own rules.
    }
  }

  async function tick(): Promise<void> {
    const lives = await alive().then(
      () => true,
      () => false,
    );
    if (stopped) return;
    say(`STATUS=${status()}`, ...(lives && watchdogMs !== null ? ['WATCHDOG=1'] : []));
    wait();
  }

  function wait(): void {
    cancel = after(everyMs, () => void tick());
  }

  return {
    ready() {
      say('READY=1', `STATUS=${status()}`);
      wait();
    },
    stopping() {
      stopped = true;
      cancel();
      say('STOPPING=1', 'STATUS=stopping');
    },
  };
}

/** How long the manager waits for a sign of life; null where it does not, or asks another process. */
function watchdogMsOf({ env, pid }: ServiceManagerOptions): number | null {
  if (env.WATCHDOG_PID !== undefined && env.WATCHDOG_PID !== String(pid)) return null;
  const microseconds = Number(env.WATCHDOG_USEC);
  return microseconds > 0 ? microseconds / 1000 : null;
}
