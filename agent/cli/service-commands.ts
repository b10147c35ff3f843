/** `install` and `uninstall` on the command line. */
import type { Command, Option } from 'commander';
import type { InstallFlags, UninstallFlags } from './install.ts';
import { addJoinOptions } from './join-options.ts';

export interface ServiceCommandsOptions {
  readonly uid: number;
  readonly print: (line: string) => void;
  readonly done: (exitCode: number) => void;
  /** Options that other commands have too. */
  readonly plainHttp: Option;
  readonly ca: Option;
}

export function addServiceCommands(program: Command, options: ServiceCommandsOptions): void {
  const { uid, print, done } = options;
  const dryRun = ['--dry-run', 'say what would be done, and do nothing', false] as const;
  const install = program
    .command('install')
    .description('run the agent as a service of systemd, from the start of this host on');
  addJoinOptions(install, false)
    .addOption(options.plainHttp)
    .addOption(options.ca)
    .option(...dryRun)
    .action(async (flags: InstallFlags) => {
      const { installService } = await import('./install.ts');
      done(installService(flags, uid, process.argv[1] ?? '', print));
    });

  program
    .command('uninstall')
    .description('undo what install did; the site stays in the registry')
    .option('--purge', 'remove the site’s key and table, and the user, too', false)
    .option(...dryRun)
    .action(async (flags: UninstallFlags) => {
      const { uninstallService } = await import('./install.ts');
      done(uninstallService(flags, uid, process.argv[1] ?? '', print));
    });
}
