/** `/capture` on the agent's socket. It is the tenant's traffic, so it goes to whom the socket is: this user, and root. */
import { setTimeout } from 'node:timers/promises';
import * as v from 'valibot';
import { Failure } from '../../shared/failure.ts';
import { describeFaults } from '../../shared/faults.ts';
import { VERSION } from '../../shared/version.ts';
import { CaptureRequestSchema, readCaptureQuery } from '../capture/request.ts';
import { streamCapture } from '../capture/stream.ts';
import type { LocalStream } from '../control/local-stream.ts';
import type { AgentStatus } from '../control/status.ts';
import { type Datapath, KERNEL_CARRIES } from '../datapath/datapath.ts';

/** Each has memory of its own. */
const MAX_CAPTURES = 8;

export function captureStream(datapath: Datapath, status: () => AgentStatus): LocalStream {
  let running = 0;
  return async (query, signal) => {
    const checked = v.safeParse(CaptureRequestSchema, readCaptureQuery(query));
    if (!checked.success) throw new Failure('configuration', describeFaults(checked.issues).join('; '));
    if (datapath.capture === undefined) {
      throw new Failure('configuration', KERNEL_CARRIES);
    }
    const request = checked.output;
    const network = status().networks.find(({ vni }) => vni === request.vni);
    if (network === undefined)
      throw new Failure('configuration', `this agent carries no network with VNI ${request.vni}`);
    if (running === MAX_CAPTURES)
      throw new Failure('configuration', `${MAX_CAPTURES} captures run already: end one first`);
    running++;
    const capture = await datapath.capture(request).catch((error: unknown) => {
      running--;
      throw error;
    });
    return streamCapture(
      {
        read: () => capture.read(),
        get dropped() {
          return capture.dropped;
        },
        end: () => {
          running--;
          capture.end();
        },
      },
      {
        name: `${network.name} (VNI ${network.vni})`,
        application: `overlane-agent ${VERSION}`,
        snapLength: request.snapLength,
        now: Date.now,
        wait: (ms, until) => setTimeout(ms, undefined, { signal: until }).catch(() => undefined),
      },
      signal,
    );
  };
}
