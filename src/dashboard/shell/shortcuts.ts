/** Keys that do something anywhere but in a field. */
import { useEffect, useRef } from 'preact/hooks';
import type { Tenant } from '../api/tenant.tsx';
import { navigate } from '../route/location.ts';

export const GO_TO: Readonly<Record<string, readonly [part: string, title: string]>> = {
  o: ['', 'Overview'],
  m: ['map', 'Map'],
  n: ['networks', 'Networks'],
  s: ['sites', 'Sites'],
  e: ['events', 'Events'],
  t: ['tokens', 'Join tokens'],
  k: ['keys', 'Access'],
  u: ['usage', 'Usage'],
};

interface Shortcuts {
  readonly tenant: Tenant | null;
  readonly onHelp: () => void;
  readonly onJump: () => void;
}

export function useShortcuts(shortcuts: Shortcuts): void {
  const latest = useRef(shortcuts);
  latest.current = shortcuts;
  useEffect(() => {
    let isGoing = false;
    const press = (event: KeyboardEvent): void => {
      const { tenant, onHelp, onJump } = latest.current;
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        return onJump();
      }
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      const wasGoing = isGoing;
      isGoing = event.key === 'g' && !wasGoing;
      if (wasGoing && tenant !== null) {
        const part = GO_TO[event.key]?.[0];
        if (part !== undefined) navigate(part === '' ? tenant.page() : tenant.page(part));
      } else if (event.key === '?') onHelp();
      else if (event.key === '/') focusSearch(event);
    };
    addEventListener('keydown', press);
    return () => removeEventListener('keydown', press);
  }, []);
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('input, select, textarea, dialog') !== null;
}

function focusSearch(event: Event): void {
  const search = document.querySelector<HTMLElement>('[data-search]');
  if (search === null) return;
  event.preventDefault();
  search.focus();
}
