/** One field that finds every site, network and page by a part of its name. */
import { useContext, useState } from 'preact/hooks';
import type { Topology } from '../../contract/topology.ts';
import { useQuery } from '../api/query.ts';
import { TenantContext } from '../api/tenant.tsx';
import { navigate } from '../route/location.ts';
import { Dialog } from '../ui/dialog.tsx';
import { Icon, type IconName } from '../ui/icons.tsx';
import { OPERATOR_PAGES, TENANT_PAGES } from './sidebar.tsx';

interface Target {
  readonly to: string;
  readonly title: string;
  readonly note: string;
  readonly icon: IconName;
}

const SHOWN = 12;

export function Jump({ onClose, isOperator }: { readonly onClose: () => void; readonly isOperator: boolean }) {
  const tenant = useContext(TenantContext);
  const topology = useQuery<Topology>(tenant?.api('topology') ?? null).data;
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const pages: Target[] = [
    ...(tenant === null ? [] : TENANT_PAGES).map(([part, title, icon]) => ({
      to: part === '' ? tenant!.page() : tenant!.page(part),
      title,
      note: 'Page',
      icon,
    })),
    ...(isOperator ? OPERATOR_PAGES : []).map(([to, title, icon]) => ({ to, title, note: 'Gateway', icon })),
  ];
  const things: Target[] =
    tenant === null || topology === undefined
      ? []
      : [
          ...topology.networks.map(({ name, vni }) => ({
            to: tenant.page('networks', name),
            title: name,
            note: `VNI ${vni}`,
            icon: 'network' as const,
          })),
          ...topology.sites.map(({ name, status, vtep }) => ({
            to: tenant.page('sites', name),
            title: name,
            note: `${vtep.address} · ${status}`,
            icon: 'site' as const,
          })),
        ];
  const wanted = text.trim().toLowerCase();
  const found = [...(wanted === '' ? [] : things), ...pages]
    .filter(({ title, note }) => `${title} ${note}`.toLowerCase().includes(wanted))
    .slice(0, SHOWN);
  const chosen = Math.min(at, found.length - 1);

  function go(target: Target | undefined): void {
    if (target === undefined) return;
    onClose();
    navigate(target.to);
  }
  function press(event: KeyboardEvent): void {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      setAt((chosen + step + found.length) % Math.max(1, found.length));
    } else if (event.key === 'Enter') go(found[chosen]);
  }

  return (
    <Dialog title="Jump to" onClose={onClose}>
      <div class="jump">
        <input
          class="input"
          role="combobox"
          aria-expanded="true"
          aria-controls="jump-list"
          aria-activedescendant={found.length > 0 ? `jump-${chosen}` : undefined}
          aria-label="A site, a network or a page"
          placeholder="A site, a network or a page"
          value={text}
          ref={(element) => element?.focus()}
          onKeyDown={press}
          onInput={(event) => {
            setText(event.currentTarget.value);
            setAt(0);
          }}
        />
        <div id="jump-list" role="listbox" aria-label="Found">
          {found.map((target, i) => (
            <div
              key={target.to}
              id={`jump-${i}`}
              role="option"
              tabIndex={-1}
              aria-selected={i === chosen}
              class="jump-item"
              onMouseMove={() => setAt(i)}
              onClick={() => go(target)}
              onKeyDown={() => undefined}
            >
              <Icon name={target.icon} />
              <span>{target.title}</span>
              <span class="faint">{target.note}</span>
            </div>
          ))}
        </div>
        {found.length === 0 && <p class="hint">Nothing has “{text}” in its name.</p>}
      </div>
    </Dialog>
  );
}
