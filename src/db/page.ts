/** Keyset pagination: the cursor is the last key of a page, so that a page costs the same wherever it is. */
import { decodeBase64Url, encodeBase64Url } from '../domain/base64url.ts';
import { Refusal } from '../domain/refusal.ts';

export interface PageRequest {
  readonly limit: number;
  /** The key after which the page begins; '' begins at the start. */
  readonly after: string;
}

export interface Page<T> {
  readonly items: T[];
  readonly nextCursor: string | null;
}

/** @returns the key in a cursor that `pageOf` gave. @throws Refusal `invalid_cursor`. */
export function readPageCursor(cursor: string | undefined): string {
  if (cursor === undefined) return '';
  const bytes = decodeBase64Url(cursor);
  const key = bytes === null ? '' : new TextDecoder().decode(bytes);
  if (key.length > 0 && key.length <= 200) return key;
  throw new Refusal('invalid_cursor', "cursor: must be a nextCursor of this list's, or absent for the first page.");
}

/** @param rows one more than the limit, where there are more, so that the last page says it is the last. */
export function pageOf<T>(rows: readonly T[], limit: number, keyOf: (row: T) => string): Page<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const nextCursor = rows.length > limit && last !== undefined ? cursorAt(keyOf(last)) : null;
  return { items, nextCursor };
}

/** @returns the cursor of a page that begins after `key`. */
export function cursorAt(key: string): string {
  return encodeBase64Url(new TextEncoder().encode(key));
}
