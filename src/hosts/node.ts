#!/usr/bin/env node
/** overlane-gateway, and `npm start`: the gateway on this machine, set up by the environment. */
import { mkdirSync, readFileSync } from 'node:fs';
import { Failure } from '../../shared/failure.ts';
import { createLogger, LOG_FORMATS, LOG_LEVELS } from '../../shared/logger.ts';
import { ConfigError, readConfig } from '../config.ts';
import type { Log } from '../gateway.ts';
import { runCommandLine } from './node/command-line.ts';
import { keptOperatorKey } from './node/operator-key.ts';
import { StartError } from './node/start-error.ts';

const DEFAULT_PORT = 8787;

try {
  await runCommandLine(process.argv.slice(2), { serve: () => serve(process.env), print: console.log });
} catch (error) {
  if (!(error instanceof StartError || error instanceof ConfigError || error instanceof Failure)) throw error;
  console.error(error.message);
  process.exit(1);
}

async function serve(env: NodeJS.ProcessEnv): Promise<void> {
  const data = env.OVERLANE_DATA || '.data';
  const host = env.HOST || '127.0.0.1';
  const tls = readTls(env.OVERLANE_TLS_CERT, env.OVERLANE_TLS_KEY);
  const log = openLog(env);
  const config = readConfig({ ...env, OVERLANE_OPERATOR_KEY: env.OVERLANE_OPERATOR_KEY || operatorKeyIn(data, env) });
  const port = readPort(env.PORT);
  // Most of the program is loaded here: `--help`, and a setting that is wrong, are answered without it.
  const { startGateway } = await import('./node/start-gateway.ts');
  const gateway = await startGateway({ config, data, host, port, log, ...(tls ? { tls } : {}) });
  if (tls === undefined && !isLoopback(host)) {
    console.warn(
      `Warning: ${host} is reachable from elsewhere and this is plain HTTP, so keys can be read on the way: set OVERLANE_TLS_CERT and OVERLANE_TLS_KEY, or put a proxy with TLS in front.`,
    );
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void gateway.close());
  console.log(`Overlane gateway ready: ${gateway.url}`);
}

function openLog(env: NodeJS.ProcessEnv): Log {
  const level = readChoice('OVERLANE_LOG_LEVEL', env.OVERLANE_LOG_LEVEL, LOG_LEVELS);
  const format = readChoice('OVERLANE_LOG_FORMAT', env.OVERLANE_LOG_FORMAT, LOG_FORMATS);
  const logger = createLogger({ level, format, stream: process.stdout, base: null });
  return { error: (fields, message) => logger.error(fields, message) };
}

/** The first of the choices is what an unset variable means. */
function readChoice<Choice extends string>(
  name: string,
  text: string | undefined,
  choices: readonly [Choice, ...Choice[]],
): Choice {
  if (!text) return choices[0];
  const choice = choices.find((known) => known === text);
  if (choice === undefined) throw new StartError(`${name} must be one of ${choices.join(', ')}, not "${text}"`);
  return choice;
}

/** It is shown where somebody may be looking; a service's journal would keep it. Terminals that are services' have JOURNAL_STREAM, too. */
function operatorKeyIn(data: string, { JOURNAL_STREAM }: NodeJS.ProcessEnv): string {
  try {
    mkdirSync(data, { recursive: true, mode: 0o700 });
    const { key, file, isNew } = keptOperatorKey(data);
    if (isNew && JOURNAL_STREAM && !process.stdout.isTTY) console.log(`Operator key made, and kept in ${file}`);
    else if (isNew) console.log(`Operator key, shown this once and kept in ${file}: ${key}`);
    return key;
  } catch (error) {
    throw new StartError(`The data folder ${data} can't be used: ${(error as Error).message}`);
  }
}

function readTls(cert: string | undefined, key: string | undefined): { cert: string; key: string } | undefined {
  if (!cert && !key) return undefined;
  if (!cert || !key)
    throw new StartError('TLS takes both: set OVERLANE_TLS_CERT and OVERLANE_TLS_KEY to paths of PEM files.');
  return { cert: readPem('OVERLANE_TLS_CERT', cert), key: readPem('OVERLANE_TLS_KEY', key) };
}

function readPem(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new StartError(`${name}: ${path} can't be read: ${(error as Error).message}`);
  }
}

function readPort(text: string | undefined): number {
  if (!text) return DEFAULT_PORT;
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535)
    throw new StartError(`PORT must be a number from 0 to 65535, not "${text}"`);
  return port;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}
