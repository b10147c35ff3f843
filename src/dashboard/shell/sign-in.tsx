import { useEffect } from 'preact/hooks';
import type { SignInError } from '../../contract/sessions.ts';
import { resume } from '../api/session.ts';
import { useQueryText } from '../route/use-query-text.ts';
import { Icon, Logo } from '../ui/icons.tsx';
import { SignInForm } from './sign-in-form.tsx';

const ERRORS: Readonly<Record<SignInError, string>> = {
  refused: 'The identity provider let nobody in.',
  outdated: 'It took too long, or began in another window. Try again.',
  email_not_verified: 'The identity provider doesn’t vouch for the e-mail address.',
  not_a_member: 'No tenant here lists you: its admin, or the operator, can add you.',
  failed: 'The identity provider didn’t answer as it should; the gateway’s log has more.',
};

export function SignIn({ problem }: { readonly problem?: string }) {
  const [code] = useQueryText('error');
  const refused = ERRORS[code as SignInError] as string | undefined;
  useEffect(() => {
    document.title = 'Sign in · Overlane';
  }, []);
  return (
    <main class="sign-in">
      <div class="sign-in-card">
        <div class="brand">
          <Logo />
          <span>Overlane</span>
        </div>
        <h1>Sign in</h1>
        <p class="says">See whether every site is in step, and change what they carry.</p>
        {!globalThis.isSecureContext && (
          <p class="form-error" role="alert">
            <Icon name="alert" />
            <span>
              This page came over plain HTTP, so the browser will not keep a session. Open it over HTTPS, or on the
              gateway’s own machine.
            </span>
          </p>
        )}
        {(problem ?? refused) && (
          <p class="form-error" role="alert">
            <Icon name="alert" />
            <span>{problem ?? refused}</span>
          </p>
        )}
        {problem === undefined ? (
          <SignInForm />
        ) : (
          <button type="button" class="button primary wide" onClick={() => void resume()}>
            Try again
          </button>
        )}
        <p class="hint">
          No key yet? The operator’s was shown when the gateway first started, and makes one for each tenant:{' '}
          <code>overlane key create --role admin</code>
        </p>
      </div>
    </main>
  );
}
