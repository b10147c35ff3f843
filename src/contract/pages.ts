/** Lists come in pages: `?limit=&cursor=` gives `{items, nextCursor}`, and the last page's `nextCursor` is null. Any other may have fewer. */
import * as v from 'valibot';

export const DEFAULT_PAGE = 100;
export const MAX_PAGE = 500;

const LIMIT_MESSAGE = `must be a whole number from 1 to ${MAX_PAGE}`;

export const PageQuerySchema = v.strictObject({
  limit: v.optional(
    v.pipe(
      v.string(LIMIT_MESSAGE),
      v.regex(/^\d{1,3}$/, LIMIT_MESSAGE),
      v.transform(Number),
      v.minValue(1, LIMIT_MESSAGE),
      v.maxValue(MAX_PAGE, LIMIT_MESSAGE),
    ),
    String(DEFAULT_PAGE),
  ),
  cursor: v.optional(v.string()),
});

const SEARCH_MESSAGE = 'must be text of 1 to 100 characters';
/** What a list is searched for: of no case, and taken as it is. */
export const SearchSchema = v.pipe(
  v.string(SEARCH_MESSAGE),
  v.minLength(1, SEARCH_MESSAGE),
  v.maxLength(100, SEARCH_MESSAGE),
);

export function pageSchema<const S extends v.GenericSchema>(item: S) {
  return v.object({ items: v.array(item), nextCursor: v.nullable(v.string()) });
}
