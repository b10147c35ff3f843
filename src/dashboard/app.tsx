/** Who sees what: nobody's page is to sign in, a tenant's its own, the operator's all of them. */
import { useEffect } from 'preact/hooks';
import { type SessionState, session } from './api/session.ts';
import { useStore } from './api/store.ts';
import { location, navigate } from './route/location.ts';
import { Shell } from './shell/shell.tsx';
import { SignIn } from './shell/sign-in.tsx';
import { SignInForm } from './shell/sign-in-form.tsx';
import { Dialog } from './ui/dialog.tsx';
import { Toasts } from './ui/toast.tsx';

export function App() {
  const state = useStore(session);
  return (
    <>
      <Seen state={state} />
      <Toasts />
    </>
  );
}

function Seen({ state }: { readonly state: SessionState }) {
  switch (state.phase) {
    case 'asking':
      return null;
    case 'out':
      return <SignIn {...(state.problem === undefined ? {} : { problem: state.problem })} />;
    default:
      return (
        <>
          <Home state={state} />
          <Shell session={state.session} isOpen={state.phase === 'in'} />
          {state.phase === 'ended' && (
            <Dialog title="Your session has ended" onClose={() => undefined} isFixed>
              <p class="dialog-says">Sign in again and go on where you were: nothing that you typed is lost.</p>
              <SignInForm />
            </Dialog>
          )}
        </>
      );
  }
}

/** Where somebody who signed in begins. */
function Home({ state }: { readonly state: Extract<SessionState, { phase: 'in' | 'ended' }> }) {
  const path = useStore(location, (at) => at.path);
  const isNowhere = path === '/' || path === '/sign-in';
  const { tenant } = state.session;
  useEffect(() => {
    if (isNowhere) navigate(tenant === null ? '/operator/tenants' : `/t/${tenant.slug}`, { replace: true });
  }, [isNowhere, tenant]);
  return null;
}
