/** A data path can't start, or can't do what it was asked. `code` is an errno's name or `internal`; `message` is one line for people. */
export class DatapathError extends Error {
  override readonly name = 'DatapathError';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}
