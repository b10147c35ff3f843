/** One line for the operator. What it says never holds a token, a signature or a key. */
export type Log = (level: 'info' | 'warn' | 'error', message: string) => void;
