/** The demo inside its namespaces. `demo/main.ts` starts it, with the URL that is forwarded here and, for one round, `--once`. */
import { join } from 'node:path';
import { gatewaySocket } from './gateway-socket.ts';
import { endWithStarter, sharedFolder } from './lab/enter.ts';
import { tellStory } from './story.ts';
import { keepTalking } from './traffic.ts';
import { createWorld, keyFor, type World } from './world.ts';

const [url, once] = process.argv.slice(2);
const print = (text: string): void => void process.stdout.write(`${text}\n`);
const keyPath = join(sharedFolder(), 'operator-key');

let world: World | undefined;
let isEnding = false;
/** Removes everything, then ends. A second call changes nothing. */
async function end(exitCode: number): Promise<void> {
  if (isEnding) return;
  isEnding = true;
  await world?.lab.dispose().catch((error: unknown) => process.stderr.write(`${error}\n`));
  process.exit(exitCode);
}
let hasWorked = false;
const interrupted = (): void => void end(hasWorked ? 0 : 130);
process.on('SIGINT', interrupted).on('SIGTERM', interrupted);
endWithStarter(interrupted);

try {
  world = await createWorld();
  const operator = await tellStory({
    world,
    socketPath: gatewaySocket(sharedFolder()),
    keyPath,
    print,
    colours: process.stdout.isTTY === true && process.env.NO_COLOR === undefined,
  });
  hasWorked = true;
  if (once === '--once') await end(0);
  const key = await keyFor(operator);
  keepTalking(world);
  print('');
  print(`  dashboard      ${url}`);
  print(`  sign in with   ${key}`);
  print(`  API            ${url}/docs`);
  print(`  operator key   ${keyPath}`);
  print('\n  It stays up. Ctrl-C ends it and removes all that it made.');
} catch (error) {
  if (!isEnding) {
    process.stderr.write(`\nThe demo failed: ${error instanceof Error ? error.message : error}\n\n`);
    process.stderr.write(`${world?.lab.transcript() ?? ''}\n`);
  }
  await end(1);
}
