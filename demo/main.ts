/**
 * `npm run demo`: a gateway and four sites on this machine, in namespaces that are gone when it ends, with real traffic between them.
 * `--once` ends by itself, with exit code 0 only if all of it worked.
 */
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { forward } from './forward.ts';
import { gatewaySocket } from './gateway-socket.ts';
import { enter } from './lab/enter.ts';
import { missingForLab, missingForTap } from './lab/missing.ts';

const PORT = 8787;

process.exitCode = await main();

async function main(): Promise<number> {
  const { once: isOnce } = parseArguments();
  const missing = missingForLab() ?? missingForTap();
  if (missing !== null) {
    process.stderr.write(`The demo can't run here. Missing: ${missing}\n`);
    return 1;
  }
  const how = process.getuid?.() === 0 ? 'as root' : 'as an ordinary user, in a user namespace';
  process.stdout.write(`Overlane demo, ${how}\n\n`);
  return run(isOnce);
}

async function run(isOnce: boolean): Promise<number> {
  // The socket's folder is known only once the lab is entered, and the lab wants to be told the address.
  let socketPath = '';
  const forwarding = await forward(() => socketPath, PORT);
  const inside = fileURLToPath(new URL('./inside.ts', import.meta.url));
  const { child, folder, leave } = enter(inside, [forwarding.url, ...(isOnce ? ['--once'] : [])]);
  socketPath = gatewaySocket(folder);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, leave);
  const [code] = await once(child, 'exit');
  forwarding.close();
  leave();
  return code ?? 1;
}

function parseArguments(): { readonly once: boolean } {
  try {
    const { values } = parseArgs({ options: { once: { type: 'boolean', default: false } } });
    return values;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\nUsage: npm run demo [-- --once]\n`);
    process.exit(2);
  }
}
