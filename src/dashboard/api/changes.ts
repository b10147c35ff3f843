/** Word that something which the page shows has changed: told over the live socket, after own writes, and when the socket is back. */
import { invalidate } from './query.ts';

const listeners = new Set<() => void>();
/** Many changes in a row are one telling after this long. */
const GATHER_MS = 300;
let timer: number | undefined;

export const changes = {
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  },
};

/** Tells at once: after what this page did itself. */
export function changed(): void {
  clearTimeout(timer);
  timer = undefined;
  invalidate();
  for (const listener of [...listeners]) listener();
}

/** Tells soon, once for all that comes meanwhile. */
export function changedSoon(): void {
  timer ??= setTimeout(changed, GATHER_MS) as unknown as number;
}
