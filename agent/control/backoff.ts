/** How long to wait before the next try. */

const FIRST_MS = 1000;
const LONGEST_MS = 60_000;
/** A gateway may ask for patience, but a slip in a header must not silence a site for a day. */
const LONGEST_ASKED_MS = 600_000;

/**
 * Full jitter: anywhere from nothing to a bound that doubles with each failure. A thousand agents that lost the same gateway come
 * back evenly spread, which no fixed step with a little noise achieves.
 *
 * @param failures how many tries in a row have failed: 1 or more.
 * @param random a number from 0 to 1.
 * @param retryAfterSeconds what the gateway asked for: never less than that, and the jitter on top.
 * @param longestMs the bound's own bound.
 * @returns milliseconds.
 */
export function backoffMs(failures: number, random: number, retryAfterSeconds = 0, longestMs = LONGEST_MS): number {
  const bound = Math.min(longestMs, FIRST_MS * 2 ** Math.min(failures - 1, 16));
  return Math.min(LONGEST_ASKED_MS, retryAfterSeconds * 1000) + Math.round(bound * random);
}
