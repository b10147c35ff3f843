import type { ComponentChildren } from 'preact';
import { navigate } from './location.ts';

interface Props {
  readonly to: string;
  readonly class?: string;
  readonly title?: string;
  readonly 'aria-current'?: 'page';
  readonly children?: ComponentChildren;
}

/** A link to a page of the dashboard: a plain one, but that it needs no reload. */
export function Link({ to, children, ...rest }: Props) {
  return (
    <a {...rest} href={to} onClick={(event) => follow(event, to)}>
      {children}
    </a>
  );
}

function follow(event: MouseEvent, to: string): void {
  if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  navigate(to);
}
