/** Structured logs: a line for a person at a terminal, JSON for everything else, unless one of the two is asked for. */
import pino, { type Bindings, type Logger } from 'pino';
import pretty from 'pino-pretty';

export const LOG_LEVELS = ['info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export const LOG_FORMATS = ['auto', 'json', 'text'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

export interface LoggerOptions {
  /** The least that is written. */
  readonly level: LogLevel;
  readonly format: LogFormat;
  readonly stream: { readonly fd: number; readonly isTTY?: boolean | undefined };
  /** What each line of JSON says beside its message. */
  readonly base: Bindings | null;
}

/** Written synchronously: the last line before an exit is the one that is needed. */
export function createLogger({ level, format, stream, base }: LoggerOptions): Logger {
  const asText = format === 'text' || (format === 'auto' && stream.isTTY === true);
  const destination = { destination: stream.fd, sync: true };
  return pino(
    { level, base, serializers: { error: pino.stdSerializers.err } },
    asText
      ? pretty({
          ...destination,
          colorize: stream.isTTY === true,
          ignore: 'pid,hostname,name',
          translateTime: 'SYS:HH:MM:ss',
        })
      : pino.destination({ dest: stream.fd, sync: true }),
  );
}
