/** The log on stderr: lines for a person at a terminal, JSON for everything else. */
import pino from 'pino';
import pretty from 'pino-pretty';
import type { Log } from '../control/log.ts';

export const LOG_LEVELS = ['info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const STDERR = 2;

/** Written synchronously: the last line before an exit is the one that is needed. */
export function createLog(level: LogLevel, terminal: boolean): Log {
  const stream = terminal
    ? pretty({ destination: STDERR, sync: true, ignore: 'pid,hostname', translateTime: 'SYS:HH:MM:ss' })
    : pino.destination({ dest: STDERR, sync: true });
  const logger = pino({ level, base: { name: 'overlane-agent' } }, stream);
  return (lineLevel, message) => logger[lineLevel](message);
}
