/** The command line against the real gateway, in one process. */
import { runProgram } from '../../cli/program.ts';
import { readConfig } from '../../src/config.ts';
import { type RunningGateway, startGateway } from '../../src/hosts/node/start-gateway.ts';

export const OPERATOR_KEY = 'the-operator-key-of-the-command-line-tests';

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export function startTestGateway(tls?: { readonly cert: string; readonly key: string }): Promise<RunningGateway> {
  return startGateway({
    config: readConfig({ OVERLANE_OPERATOR_KEY: OPERATOR_KEY }),
    data: ':memory:',
    host: '127.0.0.1',
    port: 0,
    log: { error: (fields, message) => console.error(message, fields) },
    ...(tls === undefined ? {} : { tls }),
  });
}

/** Runs `overlane` with this environment. @param answers what the person at the terminal says; absent: nobody is there. */
export async function overlane(
  env: Readonly<Record<string, string>>,
  args: readonly string[],
  answers?: (question: string) => string,
): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  const code = await runProgram(
    args,
    // Never the configuration of whoever runs the tests.
    { OVERLANE_CONFIG: '/nonexistent/config.json', ...env },
    {
      out: (text) => {
        stdout += text;
      },
      error: (text) => {
        stderr += text;
      },
      ...(answers === undefined ? {} : { ask: async (question: string) => answers(question) }),
    },
  );
  return { code, stdout, stderr };
}
