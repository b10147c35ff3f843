/** Who is signed in. The key itself is exchanged for a cookie that no script can read, and kept nowhere. */
import type { Session, SignInMethods } from '../../contract/sessions.ts';
import { call, get, Refused, whenSignedOut } from './call.ts';
import { forgetAnswers } from './query.ts';
import { createStore } from './store.ts';

export type SessionState =
  | { readonly phase: 'asking' }
  /** `problem`: why it isn't known whether somebody is signed in. */
  | { readonly phase: 'out'; readonly problem?: string }
  | { readonly phase: 'in'; readonly session: Session }
  /** It ended while somebody was at work: the page stays as it is until they sign in again. */
  | { readonly phase: 'ended'; readonly session: Session };

export const session = createStore<SessionState>({ phase: 'asking' });
export const methods = createStore<SignInMethods['oidc']>(null);

whenSignedOut(() => {
  const state = session.get();
  if (state.phase === 'in') session.set({ phase: 'ended', session: state.session });
});

/** Asks the gateway how one may sign in, and whether the browser's cookie is of a session. */
export async function resume(): Promise<void> {
  session.set({ phase: 'asking' });
  try {
    const found = await get<SignInMethods>('/v1/sign-in-methods');
    methods.set(found.oidc);
    session.set(found.session === null ? { phase: 'out' } : { phase: 'in', session: found.session });
  } catch (error) {
    session.set({ phase: 'out', problem: (error as Error).message });
  }
}

/** @throws Refused, Unreachable */
export async function signIn(key: string): Promise<void> {
  const before = session.get();
  const made = await call<Session>('POST', '/v1/session', { body: { key } });
  if (before.phase === 'ended' && !isSame(before.session, made)) forgetAnswers();
  session.set({ phase: 'in', session: made });
}

/** @throws Unreachable: then it isn't certain that the session ended. */
export async function signOut(): Promise<void> {
  try {
    await call('DELETE', '/v1/session');
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
  }
  session.set({ phase: 'out' });
  forgetAnswers();
}

function isSame(a: Session, b: Session): boolean {
  return a.role === b.role && a.tenant?.slug === b.tenant?.slug;
}
