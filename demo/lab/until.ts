/** Waiting for a state that nothing announces: a device of the kernel, a row of the registry. */
import { setTimeout as wait } from 'node:timers/promises';

/**
 * Calls `check` until it returns something other than undefined or false, and returns that.
 * @param what completes the sentence "waited … ms for".
 * @throws Error after `timeoutMs`, with what `check` last threw, if it did.
 */
export async function until<Value>(
  what: string,
  check: () => Promise<Value | undefined | false> | Value | undefined | false,
  { timeoutMs = 10_000, everyMs = 20 }: { readonly timeoutMs?: number; readonly everyMs?: number } = {},
): Promise<Value> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    let problem: unknown;
    try {
      const value = await check();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      problem = error;
    }
    if (performance.now() >= deadline) {
      throw new Error(`waited ${timeoutMs} ms for ${what}`, problem === undefined ? undefined : { cause: problem });
    }
    await wait(everyMs);
  }
}
