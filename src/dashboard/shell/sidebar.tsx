import { useContext } from 'preact/hooks';
import type { Session } from '../../contract/sessions.ts';
import type { Tenant as TenantRecord } from '../../contract/tenants.ts';
import type { Page } from '../api/pages.ts';
import { useQuery } from '../api/query.ts';
import { methods, signOut } from '../api/session.ts';
import { useStore } from '../api/store.ts';
import { TenantContext } from '../api/tenant.tsx';
import { Link } from '../route/link.tsx';
import { navigate } from '../route/location.ts';
import { Icon, type IconName, Logo } from '../ui/icons.tsx';
import { say } from '../ui/toast.tsx';
import { LiveState } from './live-state.tsx';
import { theme, turnTheme } from './theme.ts';

interface Props {
  readonly session: Session;
  readonly path: string;
  readonly onJump: () => void;
  readonly onHelp: () => void;
}

export const TENANT_PAGES: readonly (readonly [part: string, title: string, icon: IconName])[] = [
  ['', 'Overview', 'overview'],
  ['map', 'Map', 'map'],
  ['networks', 'Networks', 'network'],
  ['sites', 'Sites', 'site'],
  ['events', 'Events', 'events'],
  ['tokens', 'Join tokens', 'token'],
  ['keys', 'Access', 'key'],
  ['usage', 'Usage', 'usage'],
];

export const OPERATOR_PAGES: readonly (readonly [path: string, title: string, icon: IconName])[] = [
  ['/operator/tenants', 'Tenants', 'tenants'],
  ['/operator/pools', 'VNI pools', 'pools'],
  ['/operator/vnis', 'VNI space', 'vnis'],
  ['/operator/events', 'Gateway events', 'events'],
];

export function Sidebar({ session, path, onJump, onHelp }: Props) {
  const tenant = useContext(TenantContext);
  return (
    <div class="sidebar">
      <div class="brand">
        <Logo />
        <span>Overlane</span>
      </div>
      <button type="button" class="jump-button" onClick={onJump}>
        <Icon name="search" />
        <span>Jump to…</span>
        <kbd>Ctrl K</kbd>
      </button>
      <nav aria-label="Pages">
        {session.role === 'operator' && (
          <>
            <h2>Gateway</h2>
            {OPERATOR_PAGES.map(([to, title, icon]) => (
              <Item key={to} to={to} title={title} icon={icon} isHere={path === to} />
            ))}
          </>
        )}
        {tenant && (
          <>
            <TenantName session={session} slug={tenant.slug} />
            {TENANT_PAGES.map(([part, title, icon]) => {
              const to = part === '' ? tenant.page() : tenant.page(part);
              const isHere = part === '' ? path === to : path === to || path.startsWith(`${to}/`);
              return <Item key={part} to={to} title={title} icon={icon} isHere={isHere} />;
            })}
          </>
        )}
      </nav>
      <footer>
        {tenant && <LiveState />}
        <div class="tools">
          <ThemeButton />
          <button
            type="button"
            class="button quiet square"
            aria-label="Keyboard shortcuts"
            title="Keyboard shortcuts (?)"
            onClick={onHelp}
          >
            <Icon name="keyboard" />
          </button>
          <a class="button quiet square" href="/docs" aria-label="API documentation" title="API documentation">
            <Icon name="book" />
          </a>
          <button
            type="button"
            class="button quiet square"
            aria-label="Sign out"
            title="Sign out"
            onClick={() => void leave()}
          >
            <Icon name="out" />
          </button>
        </div>
        <div class="who" title={`${session.who}, ${session.role}`}>
          <span class="name">{session.who}</span>
          {session.who !== session.role && <span class="role">{session.role}</span>}
        </div>
      </footer>
    </div>
  );
}

function Item({ to, title, icon, isHere }: { to: string; title: string; icon: IconName; isHere: boolean }) {
  return (
    <Link to={to} class={isHere ? 'item here' : 'item'} {...(isHere ? { 'aria-current': 'page' as const } : {})}>
      <Icon name={icon} />
      {title}
    </Link>
  );
}

/** Whose pages these are; the operator, and a person of several tenants, can go to another's. */
function TenantName({ session, slug }: { readonly session: Session; readonly slug: string }) {
  const isOperator = session.role === 'operator';
  const all = useQuery<Page<TenantRecord>>(isOperator ? '/v1/tenants?limit=500' : null).data?.items;
  const oidc = useStore(methods);
  const tenants = isOperator ? (all ?? []) : (session.tenants ?? []);
  if (tenants.length < 2) return <h2>{tenants[0]?.name ?? session.tenant?.name ?? slug}</h2>;
  return (
    <label class="tenant-choice">
      <span class="unseen">Tenant</span>
      <select
        class="input"
        value={slug}
        onChange={({ currentTarget: { value } }) => {
          if (isOperator) navigate(`/t/${encodeURIComponent(value)}`);
          else globalThis.location.assign(`${oidc?.url ?? '/'}?tenant=${encodeURIComponent(value)}`);
        }}
      >
        {tenants.map((one) => (
          <option key={one.slug} value={one.slug}>
            {one.name}
          </option>
        ))}
      </select>
    </label>
  );
}

function ThemeButton() {
  const now = useStore(theme);
  const words = { auto: 'as the system', light: 'light', dark: 'dark' }[now];
  return (
    <button
      type="button"
      class="button quiet square"
      aria-label={`Colours: ${words}. Change`}
      title={`Colours: ${words}`}
      onClick={turnTheme}
    >
      <Icon name={({ auto: 'auto', light: 'sun', dark: 'moon' } as const)[now]} />
    </button>
  );
}

async function leave(): Promise<void> {
  try {
    await signOut();
    navigate('/sign-in', { replace: true });
  } catch (error) {
    say(`${(error as Error).message} You are still signed in.`, 'bad');
  }
}
