import type { ErrorCode, Fault } from '../contract/errors.ts';

/** A "no" with its code from the closed set: thrown where a rule says so, turned into HTTP in one place. */
export class Refusal extends Error {
  readonly code: ErrorCode;
  readonly faults: readonly Fault[] | undefined;
  /** With `vni_quarantined`: when the number can be had, RFC 3339. */
  readonly until: string | undefined;
  /** After how many seconds it is worth trying again, where that is known. */
  readonly retryAfter: number | undefined;

  /** `detail` is for people: what was wrong, and what would be right. */
  constructor(
    code: ErrorCode,
    detail: string,
    more: { faults?: readonly Fault[]; until?: string; retryAfter?: number } = {},
  ) {
    super(detail);
    this.name = 'Refusal';
    this.code = code;
    this.faults = more.faults;
    this.until = more.until;
    this.retryAfter = more.retryAfter;
  }
}

/** A body that is well-formed but wrong at `path` for a reason that only the registry knows. */
export function faultAt(path: string, message: string): Refusal {
  return new Refusal('invalid_body', `${path}: ${message}`, { faults: [{ path, message }] });
}

/** One answer for "not there" and "not yours": which of the two it is stays untold. */
export function notFound(what: string, name: string): Refusal {
  return new Refusal('not_found', `There is no ${what} "${name}" here.`);
}
