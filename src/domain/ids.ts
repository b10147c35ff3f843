/** Ids are ULIDs in lower case: 26 letters and digits that sort by the time of their making. */

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const TIME_LETTERS = 10;
const RANDOM_LETTERS = 16;

/** The form of an id, for use in larger patterns. */
export const ID_PATTERN = `[${ALPHABET}]{${TIME_LETTERS + RANDOM_LETTERS}}`;

/**
 * @param now milliseconds since 1970
 * @param random 16 random bytes
 */
export function encodeId(now: number, random: Uint8Array): string {
  let time = '';
  for (let rest = now, i = 0; i < TIME_LETTERS; i++, rest = Math.floor(rest / 32)) time = ALPHABET[rest % 32] + time;
  let tail = '';
  for (let i = 0; i < RANDOM_LETTERS; i++) tail += ALPHABET[random[i]! & 31];
  return time + tail;
}

/** @returns a new id, made at `now` (milliseconds since 1970). */
export function newId(now: number): string {
  return encodeId(now, crypto.getRandomValues(new Uint8Array(RANDOM_LETTERS)));
}
