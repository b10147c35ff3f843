/** The page's state: a value that can be watched, and the hook that draws again when it changes. */
import { useEffect, useReducer, useRef } from 'preact/hooks';

export interface Store<Value> {
  get(): Value;
  set(next: Value): void;
  /** @returns what ends it. */
  subscribe(listener: () => void): () => void;
}

export function createStore<Value>(initial: Value): Store<Value> {
  let value = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    set: (next) => {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) listener();
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** The part of a store that a component shows; it is drawn again when that part is another. */
export function useStore<Value, Part = Value>(
  store: Store<Value>,
  select: (value: Value) => Part = (value) => value as unknown as Part,
): Part {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const part = select(store.get());
  const shown = useRef(part);
  shown.current = part;
  const selected = useRef(select);
  selected.current = select;
  useEffect(() => {
    const look = () => {
      if (!Object.is(selected.current(store.get()), shown.current)) redraw(undefined);
    };
    look();
    return store.subscribe(look);
  }, [store]);
  return part;
}
