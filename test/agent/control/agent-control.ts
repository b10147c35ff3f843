/** What drives a data path by a table at hand, and says how it stands: an agent without a gateway, for tests. */
import type { AgentControl } from '../../../agent/cli/agent-process.ts';
import { FileSession } from '../../../agent/control/file-session.ts';
import type { Log } from '../../../agent/control/log.ts';
import { after } from '../../../agent/control/timer.ts';
import type { Datapath } from '../../../agent/datapath/datapath.ts';
import type { Snapshot } from '../../../src/contract/table.ts';

export function controlBy(table: Snapshot, datapath: Datapath, log: Log): AgentControl {
  const session = new FileSession({ datapath, now: Date.now, after, log });
  return {
    start: () => session.apply(table),
    status: () => ({
      version: '1.0.0',
      startedAt: '2026-01-01T00:00:00.000Z',
      datapath: 'userspace',
      vtep: { address: '2001:db8::1', port: 4789 },
      ...session.status(),
    }),
    hangup: () => undefined,
    stop: () => session.stop(),
  };
}
