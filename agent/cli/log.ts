/** The agent's log, on stderr. */
import { createLogger, type LogFormat, type LogLevel } from '../../shared/logger.ts';
import type { Log } from '../control/log.ts';

export function createLog(level: LogLevel, format: LogFormat): Log {
  const logger = createLogger({ level, format, stream: process.stderr, base: { name: 'overlane-agent' } });
  return (lineLevel, message) => logger[lineLevel](message);
}
