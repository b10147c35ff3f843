/** What the exit codes mean, for scripts and service managers; `--help` says the same. */
import type { FailureKind } from '../../shared/failure.ts';

export const EXIT_OK = 0;
export const EXIT_FAILED = 1;
export const EXIT_USAGE = 2;

export const EXIT_BY_FAILURE: Readonly<Record<FailureKind, number>> = {
  failed: EXIT_FAILED,
  configuration: EXIT_USAGE,
  refused: 3,
  unreachable: 4,
};

export const EXIT_CODE_HELP = `
Exit codes:
  0  done; for run: stopped by a signal; for status: in step with the gateway
  1  failed on this host; for status: running, but not in step; for doctor: a check failed
  2  the command line, the configuration or the state folder is not right
  3  the gateway refused: a join token that is wrong, expired or used up, say
  4  nobody answered: the gateway, or no agent runs here`;
