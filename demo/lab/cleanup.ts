/** What must be undone however this process ends: by an exception, `process.exit` or a signal. Only kill -9 gets past it. */

const undo = new Set<() => void>();
const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const;
let isInstalled = false;

/**
 * Has `action`, which must be synchronous, called at this process's end.
 * @returns what takes it back.
 */
export function atExit(action: () => void): () => void {
  if (!isInstalled) {
    isInstalled = true;
    process.once('exit', () => {
      for (const each of undo) each();
    });
    for (const [signal, code] of Object.entries(SIGNALS)) {
      process.once(signal, () => {
        // Whoever else listens decides when to end.
        if (process.listenerCount(signal) === 0) process.exit(code);
      });
    }
  }
  undo.add(action);
  return () => void undo.delete(action);
}
