/** What a check found. */
export interface Finding {
  /** What was looked at, in a word or three. */
  readonly check: string;
  /** `warn`: it works, but less well, or not for long. `fail`: frames don't pass, or the next start will fail. */
  readonly verdict: 'pass' | 'warn' | 'fail';
  readonly says: string;
  /** What would be right, where it is not. */
  readonly todo?: string;
}
