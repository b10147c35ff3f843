import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Link } from '../route/link.tsx';
import { location } from '../route/location.ts';

interface Props {
  readonly title: string;
  /** Beside the title. */
  readonly badge?: ComponentChildren;
  /** A sentence under the title. */
  readonly says?: ComponentChildren;
  /** The page above this one. */
  readonly up?: { readonly to: string; readonly title: string };
  readonly actions?: ComponentChildren;
  readonly children?: ComponentChildren;
}

/** What every page has: a heading that takes the focus when the page was gone to, its actions, its parts. */
export function Page({ title, badge, says, up, actions, children }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Overlane`;
  }, [title]);
  useEffect(() => {
    if (location.get().visit > 0) heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <div class="page">
      <header class="page-head">
        <div class="page-title">
          {up && (
            <nav aria-label="Breadcrumb" class="crumbs">
              <Link to={up.to}>{up.title}</Link>
              <span aria-hidden="true">/</span>
            </nav>
          )}
          <div class="title-line">
            <h1 ref={heading} tabIndex={-1}>
              {title}
            </h1>
            {badge}
          </div>
          {says && <p class="says">{says}</p>}
        </div>
        {actions && <div class="actions">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

export function Panel({
  title,
  note,
  actions,
  children,
  flush = false,
}: {
  readonly title: string;
  readonly note?: ComponentChildren;
  readonly actions?: ComponentChildren;
  readonly children: ComponentChildren;
  /** Without space around what is in it: a table. */
  readonly flush?: boolean;
}) {
  return (
    <section class={`panel${flush ? ' flush' : ''}`} aria-label={title}>
      <header class="panel-head">
        <h2>{title}</h2>
        {note && <span class="note">{note}</span>}
        {actions && <div class="actions">{actions}</div>}
      </header>
      <div class="panel-body">{children}</div>
    </section>
  );
}

/** Name and value, many of them. */
export function Facts({ items }: { readonly items: readonly (readonly [string, ComponentChildren] | null)[] }) {
  return (
    <dl class="facts">
      {items.map((item) =>
        item === null || item[1] === undefined || item[1] === null || item[1] === '' ? null : (
          <div key={item[0]}>
            <dt>{item[0]}</dt>
            <dd>{item[1]}</dd>
          </div>
        ),
      )}
    </dl>
  );
}
