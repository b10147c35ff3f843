/** What the exit codes mean, for scripts; `--help` says the same. */
import type { FailureKind } from '../shared/failure.ts';

export const EXIT_OK = 0;
export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;
const EXIT_REFUSED = 3;
const EXIT_UNREACHABLE = 4;
const EXIT_NOT_FOUND = 5;
const EXIT_CONFLICT = 6;

export const EXIT_BY_FAILURE: Readonly<Record<FailureKind, number>> = {
  failed: EXIT_FAILED,
  configuration: EXIT_USAGE,
  refused: EXIT_REFUSED,
  unreachable: EXIT_UNREACHABLE,
};

/** @param status of an answer that is a problem. */
export function exitCodeOf(status: number): number {
  switch (status) {
    case 400:
    case 413:
    case 415:
    case 422:
      return EXIT_USAGE;
    case 401:
    case 403:
      return EXIT_REFUSED;
    case 404:
      return EXIT_NOT_FOUND;
    case 409:
      return EXIT_CONFLICT;
    default:
      return status === 429 || status >= 500 ? EXIT_UNREACHABLE : EXIT_FAILED;
  }
}

export const EXIT_CODE_HELP = `
Exit codes:
  0  done
  1  failed on this host, or what was waited for did not come about in time
  2  the command line or the configuration is not right, or the gateway found a value that is not
  3  the gateway refused: the key is wrong or may not do that, or a limit is reached
  4  the gateway can't be reached, or can't serve now: try again
  5  there is no such thing
  6  it clashes with what is there: a name or a VNI that is taken, say`;
