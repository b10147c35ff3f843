/** Where a command's words go; each call has whole lines. */
export interface Terminal {
  out(text: string): void;
  error(text: string): void;
  /** Asks whoever sits there, and gives the answer; absent where nobody does. */
  ask?(question: string): Promise<string>;
}
