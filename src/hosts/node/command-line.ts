/** `--help` and `--version`: all else is set by the environment, and a flag that would do nothing is refused. */
import { Command } from 'commander';
import { VERSION } from '../../../shared/version.ts';

const SETTINGS = `
Environment:
  PORT, HOST                           where it listens (8787, 127.0.0.1)
  OVERLANE_DATA                        the folder of its database (.data)
  OVERLANE_OPERATOR_KEY                the operator's key; made, printed once and kept in the data folder unless set
  OVERLANE_TLS_CERT, OVERLANE_TLS_KEY  PEM files: it serves HTTPS itself
  OVERLANE_ORIGIN                      the addresses that agents know it by, comma-separated
  OVERLANE_TRUST_PROXY                 1: believe x-forwarded-for
  OVERLANE_LOG_FORMAT                  json or text (text at a terminal)
  OVERLANE_LOG_LEVEL                   info, warn or error
The README has the rest.`;

/** Ends the process where help or the version was asked for (code 0), or something that is not there (code 1). */
export function readCommandLine(args: readonly string[]): void {
  new Command('overlane-gateway')
    .description('Keeps VNIs, sites and their tables, and tells agents of changes.')
    .version(VERSION)
    .addHelpText('after', SETTINGS)
    .parse(args, { from: 'user' });
}
