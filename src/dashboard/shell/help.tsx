import { Dialog } from '../ui/dialog.tsx';
import { GO_TO } from './shortcuts.ts';

export function Help({ onClose }: { readonly onClose: () => void }) {
  const keys: readonly (readonly [readonly string[], string])[] = [
    [['Ctrl', 'K'], 'Jump to a site, a network or a page'],
    [['/'], 'Search in this list'],
    [['?'], 'These shortcuts'],
    ...Object.entries(GO_TO).map(([key, [, title]]) => [['g', key], title] as const),
  ];
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose}>
      <dl class="shortcuts">
        {keys.map(([combination, does]) => (
          <div key={does}>
            <dt>
              {combination.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
