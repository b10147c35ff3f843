/** Dark or light: as the system has it, unless said otherwise here. */
import { createStore } from '../api/store.ts';

const THEMES = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const KEY = 'overlane-theme';

export const theme = createStore<Theme>(kept());

export function applyTheme(): void {
  const { dataset } = document.documentElement;
  const now = theme.get();
  if (now === 'auto') delete dataset.theme;
  else dataset.theme = now;
}

theme.subscribe(() => {
  applyTheme();
  try {
    localStorage.setItem(KEY, theme.get());
  } catch {
    // A browser that keeps nothing: it holds until the page is left.
  }
});

/** To the next one: as the system, light, dark. */
export function turnTheme(): void {
  theme.set(THEMES[(THEMES.indexOf(theme.get()) + 1) % THEMES.length]!);
}

function kept(): Theme {
  try {
    return THEMES.find((known) => known === localStorage.getItem(KEY)) ?? 'auto';
  } catch {
    return 'auto';
  }
}
