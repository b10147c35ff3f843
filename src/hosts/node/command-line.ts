/** What the command line asks for. The gateway itself is set up by the environment, and a flag that would do nothing is refused. */
import { Command } from 'commander';
import { perform, serviceProgram } from '../../../shared/service/perform.ts';
import { VERSION } from '../../../shared/version.ts';
import { planGatewayInstall, planGatewayUninstall } from './service/plan.ts';
import { GATEWAY_SERVICE } from './service/unit.ts';

const SETTINGS = `
Environment:
  PORT, HOST                           where it listens (8787, 127.0.0.1)
  OVERLANE_DATA                        the folder of its database (.data)
  OVERLANE_OPERATOR_KEY                the operator's key; made and kept in the data folder unless set
  OVERLANE_TLS_CERT, OVERLANE_TLS_KEY  PEM files: it serves HTTPS itself
  OVERLANE_ORIGIN                      the addresses that agents know it by, comma-separated
  OVERLANE_TRUST_PROXY                 1: believe x-forwarded-for
  OVERLANE_LOG_FORMAT                  json or text (text at a terminal)
  OVERLANE_LOG_LEVEL                   info, warn or error
The README has the rest.`;

interface CommandLineOptions {
  readonly serve: () => Promise<void>;
  readonly print: (line: string) => void;
}

/** Does what is asked, which is to serve unless said. Help and what is not there end the process (codes 0 and 1). @throws Failure */
export async function runCommandLine(args: readonly string[], { serve, print }: CommandLineOptions): Promise<void> {
  const uid = process.geteuid?.() ?? 0;
  const dryRun = ['--dry-run', 'say what would be done, and do nothing', false] as const;
  const program = new Command('overlane-gateway')
    .description('Keeps VNIs, sites and their tables, and tells agents of changes.')
    .version(VERSION)
    .allowExcessArguments(false)
    .addHelpText('after', SETTINGS)
    .action(serve);
  program
    .command('install')
    .description('run the gateway as a service of systemd, from the start of this host on')
    .option(...dryRun)
    .action((flags: { readonly dryRun: boolean }) => {
      const argv = serviceProgram(process.argv[1] ?? '');
      perform({ service: GATEWAY_SERVICE, ...flags, uid, plan: (host) => planGatewayInstall(host, argv), print });
    });
  program
    .command('uninstall')
    .description('undo what install did')
    .option('--purge', 'remove the database, the operator key and the user, too', false)
    .option(...dryRun)
    .action(({ dryRun, purge }: { readonly dryRun: boolean; readonly purge: boolean }) => {
      perform({ service: GATEWAY_SERVICE, dryRun, uid, plan: (host) => planGatewayUninstall(host, purge), print });
    });
  await program.parseAsync(args, { from: 'user' });
}
