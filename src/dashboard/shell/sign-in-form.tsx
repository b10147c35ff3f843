import { useState } from 'preact/hooks';
import { methods, signIn } from '../api/session.ts';
import { useStore } from '../api/store.ts';
import { Form } from '../ui/form.tsx';
import { TextField } from '../ui/inputs.tsx';

export function SignInForm() {
  const [key, setKey] = useState('');
  const oidc = useStore(methods);
  return (
    <>
      <Form content={key} submit="Sign in" canSubmit={key.trim() !== ''} onSubmit={() => signIn(key.trim())}>
        <TextField
          label="API key"
          path="key"
          isSecret
          value={key}
          onValue={setKey}
          placeholder="olk_…"
          isMono
          autoFocus
          autoComplete="current-password"
          hint="It is exchanged for a session and not kept in this browser."
        />
      </Form>
      {oidc && (
        <a class="button wide" href={oidc.url}>
          Sign in with {oidc.name}
        </a>
      )}
    </>
  );
}
