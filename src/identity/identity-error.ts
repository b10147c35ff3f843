import type { SignInError } from '../contract/sessions.ts';

/** Why nobody is known: `message` is for the log. */
export class IdentityError extends Error {
  readonly code: SignInError;

  constructor(code: SignInError, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
