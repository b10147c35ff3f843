/** Short words on what was done, said aloud by screen readers. */
import { createStore, useStore } from '../api/store.ts';
import { Icon } from './icons.tsx';

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly tone: 'good' | 'bad';
}

const toasts = createStore<readonly Toast[]>([]);
const SHOWN_MS = 6000;
let last = 0;

export function say(text: string, tone: Toast['tone'] = 'good'): void {
  const toast = { id: ++last, text, tone };
  toasts.set([...toasts.get().slice(-2), toast]);
  setTimeout(() => toasts.set(toasts.get().filter(({ id }) => id !== toast.id)), SHOWN_MS);
}

export function Toasts() {
  const shown = useStore(toasts);
  return (
    <div class="toasts" role="status" aria-live="polite">
      {shown.map(({ id, text, tone }) => (
        <div key={id} class={`toast ${tone}`}>
          <Icon name={tone === 'good' ? 'check' : 'alert'} />
          {text}
        </div>
      ))}
    </div>
  );
}
