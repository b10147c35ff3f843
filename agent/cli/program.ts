/** The commands and their flags. What a command needs is loaded when it is called, so that `status` is quick. */
import { Command, CommanderError, Option } from 'commander';
import * as v from 'valibot';
import { checked } from '../../shared/checked.ts';
import { Failure, reasonOf } from '../../shared/failure.ts';
import { LOG_FORMATS, LOG_LEVELS, type LogFormat, type LogLevel } from '../../shared/logger.ts';
import { VERSION } from '../../shared/version.ts';
import { MacSchema, UdpPortSchema, UnicastIpSchema, VniSchema } from '../../src/contract/primitives.ts';
import { WIREGUARD_PORT } from '../../src/contract/wireguard.ts';
import { DEFAULT_SNAP_LENGTH, SnapLengthSchema } from '../capture/request.ts';
import { DATAPATHS, ThreadsSchema } from '../config.ts';
import { MetricsAddressSchema } from '../control/metrics-server.ts';
import { defaultStateFolder } from '../control/state-folder.ts';
import { DSCP_MODES } from '../datapath/forwarding-rules.ts';
import type { CaptureFlags } from './capture.ts';
import type { DoctorFlags } from './doctor.ts';
import { EXIT_BY_FAILURE, EXIT_CODE_HELP, EXIT_FAILED, EXIT_OK, EXIT_USAGE } from './exit-code.ts';
import type { JoinFlags } from './join.ts';
import { addJoinOptions } from './join-options.ts';
import { createLog } from './log.ts';
import { actAsOwner } from './owner.ts';
import type { RotateKeyFlags } from './rotate-key.ts';
import type { RunFlags } from './run.ts';
import type { RunConfigFlags } from './run-config.ts';
import { addServiceCommands } from './service-commands.ts';
import type { ShowFlags } from './show.ts';

type AllRunFlags = Omit<RunFlags, 'state' | 'datapath'> &
  Partial<RunConfigFlags> & { readonly logLevel: LogLevel; readonly logFormat: LogFormat };

const COUNT_MESSAGE = 'must be a whole number above 0';
const DaysSchema = v.pipe(
  v.number('must be a number of days from 1 to 365'),
  v.minValue(1, 'must be at least 1 day'),
  v.maxValue(365, 'must be at most 365 days'),
);
const CountSchema = v.pipe(v.number(COUNT_MESSAGE), v.integer(COUNT_MESSAGE), v.minValue(1, COUNT_MESSAGE));

/** Where a command's words go; each call has whole lines. */
export interface Terminal {
  out(text: string | Uint8Array): void;
  error(text: string): void;
}

/** @returns the exit code. What went wrong is said in one line by `terminal.error`. */
export async function runProgram(args: readonly string[], terminal: Terminal): Promise<number> {
  let exitCode = EXIT_OK;
  const program = createProgram(terminal, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    // Commander has said it already: a usage error, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_OK : EXIT_USAGE;
    const debug = program.opts<{ debug?: boolean }>().debug === true;
    terminal.error(`overlane-agent: ${debug && error instanceof Error ? error.stack : reasonOf(error)}\n`);
    return error instanceof Failure ? EXIT_BY_FAILURE[error.kind] : EXIT_FAILED;
  }
}

function createProgram(terminal: Terminal, done: (exitCode: number) => void): Command {
  const uid = process.geteuid?.() ?? 0;
  const folder = defaultStateFolder(uid, process.env.XDG_STATE_HOME);
  const print = (text: string): void => terminal.out(`${text}\n`);
  const state = new Option('--state <dir>', 'the folder that holds the site’s key and table');
  const plainHttp = new Option('--allow-plain-http', 'talk plain http to a gateway that is not on this host').default(
    false,
  );
  const ca = new Option('--ca <file>', 'certificates (PEM) to trust beside the system’s');

  const program = new Command('overlane-agent')
    .description('Joins this host to a tenant’s networks and carries their frames in VXLAN.')
    .version(VERSION)
    .option('--debug', 'with an error, say where in the program it arose')
    .addHelpText('after', EXIT_CODE_HELP)
    .configureOutput({ writeOut: terminal.out, writeErr: terminal.error })
    .exitOverride();

  const join = program.command('join').description('make this host a site of a tenant');
  addJoinOptions(join, true)
    .addOption(state.default(folder))
    .addOption(plainHttp)
    .addOption(ca)
    .action(async (flags: JoinFlags) => {
      const { joinSite } = await import('./join.ts');
      done(await joinSite(flags, actAsOwner(flags.state, uid), print));
    });

  program
    .command('run')
    .description('carry frames until stopped; SIGHUP pulls the table, or reads the file, at once')
    .addOption(new Option('--state <dir>', state.description))
    .addOption(new Option('--config <file>', 'no gateway: the table is in this file (JSON)'))
    .addOption(new Option('--datapath <kind>', 'what carries the frames (auto: the best there is)').choices(DATAPATHS))
    .option('--keep', 'when stopped, leave what it made for the next start: the kernel forwards on', false)
    .addOption(plainHttp)
    .addOption(ca)
    .addOption(
      new Option('--dscp <mode>', 'the outer header’s DSCP: 0, or the inner one (zero unless said)').choices(
        DSCP_MODES,
      ),
    )
    .option('--clamp-mss', 'bring the MSS of TCP connections down to what the network carries')
    .option(
      '--wireguard-port <port>',
      `UDP, where WireGuard takes what is encrypted; a key that follows on another has the next one (${WIREGUARD_PORT} unless said)`,
      (text) => checked(UdpPortSchema)(Number(text)),
    )
    .option(
      '--wireguard-address <ip>',
      'where other sites reach that; else the VTEP’s, or what the gateway sees',
      checked(UnicastIpSchema),
    )
    .option('--wireguard-rotate-days <days>', 'go over to another WireGuard key after so many', (text) =>
      checked(DaysSchema)(Number(text)),
    )
    .option('--metrics <host:port>', 'serve figures for Prometheus at /metrics there', checked(MetricsAddressSchema))
    .option('--threads <n>', 'how many threads forward; by the cores unless said', (text) =>
      checked(ThreadsSchema)(Number(text)),
    )
    .addOption(new Option('--log-level <level>', 'the least to be logged').choices(LOG_LEVELS).default('info'))
    .addOption(
      new Option('--log-format <format>', 'lines of JSON or of text; auto: text at a terminal')
        .choices(LOG_FORMATS)
        .default('auto'),
    )
    .action(async (flags: AllRunFlags) => {
      const log = createLog(flags.logLevel, flags.logFormat);
      if (flags.config !== undefined) {
        const { runConfig } = await import('./run-config.ts');
        done(await runConfig({ ...flags, config: flags.config }, uid, log));
      } else {
        const { runSite } = await import('./run.ts');
        done(await runSite({ ...flags, state: flags.state ?? folder, datapath: flags.datapath ?? 'auto' }, uid, log));
      }
    });

  program
    .command('clear')
    .description('remove what an agent left on this host that was killed, or stopped with --keep: interfaces, filters')
    .addOption(new Option('--state <dir>', state.description).default(folder))
    .addOption(new Option('--config <file>', 'the file of an agent that runs by one').conflicts('state'))
    .action(async (flags: ShowFlags) => {
      const { clearHost } = await import('./clear.ts');
      done(await clearHost(flags, uid, print));
    });

  program
    .command('rotate-key')
    .description('give the site another key; the agent goes on running')
    .option('--wireguard', 'the key that frames are encrypted by, without losing any')
    .addOption(new Option('--state <dir>', state.description).default(folder))
    .addOption(plainHttp)
    .addOption(ca)
    .action(async (flags: RotateKeyFlags) => {
      const { rotateSiteKey } = await import('./rotate-key.ts');
      done(await rotateSiteKey(flags, actAsOwner(flags.state, uid), print));
    });

  program
    .command('capture')
    .description('show passing frames until stopped: what the agent gives to a port, and what it sends to other sites')
    .requiredOption('--vni <vni>', 'the network', (text) => checked(VniSchema)(Number(text)))
    .option('--mac <mac>', 'only frames from or to it; may be given again', collected(checked(MacSchema)), [])
    .option('--count <n>', 'end after so many frames', (text) => checked(CountSchema)(Number(text)))
    .option('--write <file>', 'write them as pcapng, which Wireshark and tcpdump read; - for the standard output')
    .option(
      '--snap <bytes>',
      'bytes kept of a frame',
      (text) => checked(SnapLengthSchema)(Number(text)),
      DEFAULT_SNAP_LENGTH,
    )
    .addOption(new Option('--state <dir>', state.description).default(folder))
    .addOption(new Option('--config <file>', 'the file of an agent that runs by one').conflicts('state'))
    .addHelpText(
      'after',
      '\nA frame is shown as it leaves the agent. Large segments pass whole, with checksums that a device is to make.',
    )
    .action(async (flags: CaptureFlags) => {
      const { captureFrames } = await import('./capture.ts');
      const stopped = new AbortController();
      const stop = (): void => stopped.abort();
      process.once('SIGINT', stop).once('SIGTERM', stop);
      // Whoever read the output has gone: `capture | head`.
      process.stdout.on('error', stop);
      const { out, error } = terminal;
      done(await captureFrames(flags, uid, { out, error, stop: stopped.signal }));
    });

  for (const [name, description, show] of [
    ['status', 'how the agent stands: exit code 0 only where it is in step', 'showStatus'],
    ['fdb', 'what it forwards by', 'showFdb'],
    ['counters', 'what it has carried, and what it has dropped and why', 'showCounters'],
  ] as const) {
    program
      .command(name)
      .description(description)
      .addOption(new Option('--state <dir>', state.description).default(folder))
      .addOption(new Option('--config <file>', 'the file of an agent that runs by one').conflicts('state'))
      .option('--json', 'as JSON', false)
      .action(async (flags: ShowFlags) => {
        const shows = await import('./show.ts');
        done(await shows[show](flags, uid, print));
      });
  }
  program
    .command('doctor')
    .description('look at all that the agent needs, and say what to do: exit code 0 only where nothing failed')
    .addOption(new Option('--state <dir>', state.description).default(folder))
    .option('--json', 'as JSON', false)
    .action(async (flags: DoctorFlags) => {
      const { runDoctor } = await import('./doctor.ts');
      done(await runDoctor(flags, print));
    });

  addServiceCommands(program, { uid, print, done, plainHttp, ca });
  return program;
}

/** A flag that may be given again. */
function collected<T>(parse: (text: string) => T): (text: string, before: readonly T[]) => readonly T[] {
  return (text, before) => [...before, parse(text)];
}
