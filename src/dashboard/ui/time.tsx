import { createStore, useStore } from '../api/store.ts';
import { formatExact, formatRelative } from '../format/time.ts';

/** Now, in steps: what is shown as relative grows old by itself. */
const STEP_MS = 5000;
export const clock = createStore(Date.now());
setInterval(() => clock.set(Date.now()), STEP_MS);

/** A time as people say it, exact on hover. */
export function Time({ at }: { readonly at: string | number }) {
  const text = useStore(clock, (now) => formatRelative(at, Math.max(now, 0)));
  return (
    <time dateTime={new Date(at).toISOString()} title={formatExact(at)}>
      {text}
    </time>
  );
}
