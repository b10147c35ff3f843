/** The commands, the flags that all of them take, and what becomes of an error. */
import { Command, CommanderError } from 'commander';
import { Failure, reasonOf } from '../shared/failure.ts';
import { VERSION } from '../shared/version.ts';
import { eventCommand } from './commands/event.ts';
import { keyCommand } from './commands/key.ts';
import { macCommand } from './commands/mac.ts';
import { networkCommand } from './commands/network.ts';
import { poolCommand } from './commands/pool.ts';
import { siteCommand } from './commands/site.ts';
import { tenantCommand } from './commands/tenant.ts';
import { tokenCommand } from './commands/token.ts';
import { usageCommand } from './commands/usage.ts';
import { EXIT_BY_FAILURE, EXIT_CODE_HELP, EXIT_FAILED, EXIT_OK, EXIT_USAGE, exitCodeOf } from './exit-code.ts';
import { Refused } from './refused.ts';
import { type Environment, type GlobalFlags, openSession, type Session } from './session.ts';
import type { Terminal } from './terminal.ts';

const COMMANDS = [
  tenantCommand,
  poolCommand,
  keyCommand,
  networkCommand,
  macCommand,
  siteCommand,
  tokenCommand,
  eventCommand,
  usageCommand,
];

/** @returns the exit code. What went wrong is said in one line by `terminal.error`. */
export async function runProgram(args: readonly string[], env: Environment, terminal: Terminal): Promise<number> {
  const program = createProgram(terminal);
  const flags = (): GlobalFlags => program.opts<GlobalFlags>();
  let session: Session | undefined;
  const open = async (): Promise<Session> => {
    session = await openSession(flags(), env, terminal);
    return session;
  };
  for (const command of COMMANDS) {
    program.addCommand(quietly(command(open), terminal));
  }
  try {
    await program.parseAsync(args, { from: 'user' });
    return EXIT_OK;
  } catch (error) {
    // Commander has said it already: a usage error, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_OK : EXIT_USAGE;
    terminal.error(`overlane: ${flags().debug && error instanceof Error ? error.stack : reasonOf(error)}\n`);
    if (error instanceof Refused) return exitCodeOf(error.problem.status);
    return error instanceof Failure ? EXIT_BY_FAILURE[error.kind] : EXIT_FAILED;
  } finally {
    session?.close();
  }
}

const SETTINGS_HELP = `
Each setting is taken from its flag, else from the environment (OVERLANE_GATEWAY, OVERLANE_KEY, OVERLANE_TENANT, OVERLANE_CA,
OVERLANE_PROFILE), else from a profile in ~/.config/overlane/config.json, which only you may read:
  {"current": "home", "profiles": {"home": {"gateway": "https://…", "key": "olk_…", "tenant": "acme"}}}`;

function createProgram(terminal: Terminal): Command {
  const program = new Command('overlane')
    .description('Keeps tenants, networks and sites of an Overlane gateway.')
    .version(VERSION)
    .option('--gateway <url>', 'the gateway, such as https://gateway.example.net')
    .option('--key <key>', 'the operator’s key, or a tenant’s (olk_…); others on this host can see it here')
    .option('--tenant <slug>', 'the tenant')
    .option('--profile <name>', 'the profile in the configuration file')
    .option('--ca <file>', 'certificates (PEM) to trust beside the system’s')
    .option('--allow-plain-http', 'talk plain http to a gateway that is not on this host')
    .option('--json', 'print what the API gives, as JSON')
    .option('-y, --yes', 'do not ask before what can’t be taken back')
    .option('--debug', 'with an error, say where in the program it arose')
    .addHelpText('after', SETTINGS_HELP)
    .addHelpText('after', EXIT_CODE_HELP);
  return quietly(program, terminal);
}

/** Lets a command and those below it speak by `terminal`, and throw where they would exit. */
function quietly(command: Command, terminal: Terminal): Command {
  command
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.error })
    .configureHelp({ showGlobalOptions: true })
    .exitOverride();
  for (const below of command.commands) quietly(below, terminal);
  return command;
}
