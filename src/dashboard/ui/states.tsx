/** What stands where there is nothing to show: yet, at all, or since asking failed. */
import type { ComponentChildren } from 'preact';
import { Refused } from '../api/call.ts';
import { changed } from '../api/changes.ts';
import { Icon, type IconName } from './icons.tsx';

/** A grey shape of what is to come, of its height: nothing moves when it is there. */
export function Skeleton({ rows = 3, height = 16 }: { readonly rows?: number; readonly height?: number }) {
  return (
    <div class="skeleton" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, i) => (
        <span key={i} style={{ height: `${height}px`, width: `${92 - ((i * 17) % 40)}%` }} />
      ))}
    </div>
  );
}

export function Empty({
  icon,
  title,
  children,
  action,
}: {
  readonly icon: IconName;
  readonly title: string;
  readonly children?: ComponentChildren;
  readonly action?: ComponentChildren;
}) {
  return (
    <div class="empty">
      <span class="empty-icon">
        <Icon name={icon} />
      </span>
      <h3>{title}</h3>
      {children && <p>{children}</p>}
      {action}
    </div>
  );
}

/** What went wrong, in the gateway's words, and a way on. */
export function Failure({ error }: { readonly error: Error }) {
  const isGone = error instanceof Refused && error.problem.code === 'not_found';
  return (
    <div class="empty" role="alert">
      <span class="empty-icon bad">
        <Icon name="alert" />
      </span>
      <h3>{isGone ? 'There is no such thing here' : 'This can’t be shown'}</h3>
      <p>{error.message}</p>
      <button type="button" class="button" onClick={changed}>
        Try again
      </button>
    </div>
  );
}

/** Data that is asked for: its shape while it is awaited, why not, or what `children` makes of it. */
export function Loaded<Data>({
  of,
  rows,
  height,
  children,
}: {
  readonly of: { readonly data?: Data; readonly error?: Error };
  readonly rows?: number;
  readonly height?: number;
  readonly children: (data: Data) => ComponentChildren;
}) {
  if (of.data !== undefined) return <>{children(of.data)}</>;
  if (of.error !== undefined) return <Failure error={of.error} />;
  return <Skeleton {...(rows === undefined ? {} : { rows })} {...(height === undefined ? {} : { height })} />;
}
