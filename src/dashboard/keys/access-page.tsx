import { useTenant } from '../api/tenant.tsx';
import { Page, Panel } from '../ui/page.tsx';
import { Empty } from '../ui/states.tsx';
import { KeysPanel } from './keys-panel.tsx';
import { MembersPanel } from './members-panel.tsx';
import { SessionsPanel } from './sessions-panel.tsx';

/** Who gets in: keys for programs and people, members by an identity provider, sessions that are open. */
export function AccessPage() {
  const tenant = useTenant();
  return (
    <Page
      title="Access"
      says="Who gets in: API keys, members by your identity provider, and the sessions that are open."
    >
      {tenant.isOperator ? (
        <KeysPanel />
      ) : (
        <Panel title="API keys">
          <Empty icon="key" title="The operator makes them">
            Keys belong to a role: an admin changes things, a viewer looks. Whoever runs this gateway makes, rotates and
            revokes them.
          </Empty>
        </Panel>
      )}
      <MembersPanel />
      {tenant.mayWrite && <SessionsPanel path={tenant.api('sessions')} name="sessions" />}
    </Page>
  );
}
