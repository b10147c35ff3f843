import { useStore } from '../api/store.ts';
import { location, setQuery } from './location.ts';

/** A text that stands in the address's query: a search, a filter, a tab. */
export function useQueryText(name: string): readonly [value: string, set: (value: string) => void] {
  const value = useStore(location, ({ query }) => query.get(name) ?? '');
  return [value, (next) => setQuery({ [name]: next })];
}
