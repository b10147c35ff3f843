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

/** @returns what an error says, as `oneLine`, never empty. */
export function reasonOf(error: unknown): string {
  const said = oneLine(error instanceof Error ? error.message : String(error));
  return said === '' ? (errorCode(error) ?? 'no reason given') : said;
}

const LINE_CHARACTERS = 1000;

/** @returns the first line of text from elsewhere, fit for a log and a terminal: no control characters, no more than it can use. */
export function oneLine(text: string): string {
  const [first = ''] = text.trim().split('\n', 1);
  return first
    .replace(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, LINE_CHARACTERS);
}

/** @returns the system's name of an error, such as `ENOENT`, or undefined where it has none. */
export function errorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
