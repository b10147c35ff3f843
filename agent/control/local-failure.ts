import { errorCode, Failure, reasonOf } from '../../shared/failure.ts';

/** @returns what an error on the way to the agent's socket means. */
export function localFailure(socketPath: string, error: unknown): Failure {
  switch (errorCode(error)) {
    case 'ENOENT':
    case 'ECONNREFUSED':
      return new Failure('unreachable', `no agent runs here: nobody answers at ${socketPath}`, error);
    case 'EACCES':
      return new Failure('failed', `${socketPath} belongs to another user: ask as that user, or as root`, error);
    default:
      return new Failure('unreachable', `the agent does not answer (${reasonOf(error)})`, error);
  }
}
