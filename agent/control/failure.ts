/** What stops the agent or a command of it, as a closed set; the command line gives each kind its exit code. */
export type FailureKind =
  /** Something on this machine went wrong: no permission, no space, the port is taken. */
  | 'failed'
  /** A flag, the configuration or the state folder is not as it should be. */
  | 'configuration'
  /** The gateway answered, and said no. */
  | 'refused'
  /** Nobody answered: the gateway, or the agent on its socket. */
  | 'unreachable';

/** An error fit for people: `message` is one line that says what is wrong and what would be right. */
export class Failure extends Error {
  readonly kind: FailureKind;

  constructor(kind: FailureKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'Failure';
    this.kind = kind;
  }
}

/** @returns the first line of what an error says, never empty. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const firstLine = message.split('\n', 1)[0]!.trim();
  return firstLine === '' ? (errorCode(error) ?? 'no reason given') : firstLine;
}

/** @returns the system's name of an error, such as `ENOENT`, or undefined where it has none. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
