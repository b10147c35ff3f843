/** Who an identity provider says that somebody is. */

export interface Person {
  /** What the provider calls them for ever (`sub`). */
  readonly subject: string;
  /** In lower case; null where the provider has none that it vouches for. */
  readonly email: string | null;
  /** What to call them. */
  readonly name: string;
}

/** @param operators e-mail addresses and subjects: what has an @ is an address, and no subject can pass for one. */
export function isOperator(
  operators: readonly string[],
  { subject, email }: Pick<Person, 'subject' | 'email'>,
): boolean {
  return operators.some((operator) => operator === (operator.includes('@') ? email : subject));
}
