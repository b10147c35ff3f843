/** What stands around every page: where one can go, what is happening, who is signed in. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import type { Session } from '../../contract/sessions.ts';
import { follow } from '../api/live.ts';
import { useStore } from '../api/store.ts';
import { TenantContext, tenantOf } from '../api/tenant.tsx';
import { location } from '../route/location.ts';
import { Icon, Logo } from '../ui/icons.tsx';
import { Help } from './help.tsx';
import { Jump } from './jump.tsx';
import { LostBanner } from './live-state.tsx';
import { Pages } from './pages.tsx';
import { useShortcuts } from './shortcuts.ts';
import { Sidebar } from './sidebar.tsx';
import { useCatchUp } from './use-catch-up.ts';

interface Props {
  readonly session: Session;
  /** False while the session has ended and nobody has signed in again. */
  readonly isOpen: boolean;
}

export function Shell({ session, isOpen }: Props) {
  const path = useStore(location, (at) => at.path);
  const slug = slugOf(path) ?? session.tenant?.slug ?? null;
  const tenant = useMemo(() => (slug === null ? null : tenantOf(slug, session.role)), [slug, session.role]);
  const [open, setOpen] = useState<'menu' | 'help' | 'jump' | null>(null);
  const close = () => setOpen(null);

  useEffect(() => (slug === null || !isOpen ? undefined : follow(slug)), [slug, isOpen]);
  useEffect(close, [path]);
  useCatchUp(tenant);
  useShortcuts({ tenant, onHelp: () => setOpen('help'), onJump: () => setOpen('jump') });

  return (
    <TenantContext.Provider value={tenant}>
      <button type="button" class="skip" onClick={() => document.getElementById('main')?.focus()}>
        Skip to the page
      </button>
      <div class={open === 'menu' ? 'shell menu-open' : 'shell'}>
        <header class="topbar">
          <button
            type="button"
            class="button quiet square"
            aria-label="Menu"
            aria-expanded={open === 'menu'}
            onClick={() => setOpen(open === 'menu' ? null : 'menu')}
          >
            <Icon name={open === 'menu' ? 'close' : 'menu'} />
          </button>
          <span class="brand">
            <Logo />
            <span>Overlane</span>
          </span>
        </header>
        <Sidebar session={session} path={path} onJump={() => setOpen('jump')} onHelp={() => setOpen('help')} />
        <button type="button" class="scrim" aria-label="Close the menu" tabIndex={-1} onClick={close} />
        <main id="main" tabIndex={-1}>
          <LostBanner />
          <Pages path={path} isOperator={session.role === 'operator'} />
        </main>
      </div>
      {open === 'help' && <Help onClose={close} />}
      {open === 'jump' && <Jump onClose={close} isOperator={session.role === 'operator'} />}
    </TenantContext.Provider>
  );
}

function slugOf(path: string): string | null {
  const slug = /^\/t\/([^/]+)/.exec(path)?.[1];
  return slug === undefined ? null : decodeURIComponent(slug);
}
