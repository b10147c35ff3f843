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

/** How many acts are under way that nothing is to be told during, and whether there is something to tell after them. */
let held = 0;
let isDue = false;

/** Tells at once: after what this page did itself. */
export function changed(): void {
  clearTimeout(timer);
  timer = undefined;
  if (held > 0) {
    isDue = true;
    return;
  }
  invalidate();
  for (const listener of [...listeners]) listener();
}

/** Tells soon, once for all that comes meanwhile. */
export function changedSoon(): void {
  timer ??= setTimeout(changed, GATHER_MS) as unknown as number;
}

/**
 * Does what takes away the very thing that is shown, and leaves its page: nothing is asked for until that page is gone, which would ask
 * for what is no more.
 */
export async function leaveBy(act: () => Promise<void>): Promise<void> {
  held++;
  try {
    await act();
    isDue = true;
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  } finally {
    held--;
    if (isDue && held === 0) {
      isDue = false;
      changed();
    }
  }
}
