/** Watches an interface. Runs in a thread of its own: it blocks. */
import { PacketSocket } from './packet-socket.linux.ts';
import type { ProbeEvent, SniffedFrame, SniffRequest, SniffResult } from './protocol.ts';

/** How soon a stop is noticed. */
const STOP_CHECK_MS = 20;

/** Reports frames until `stopped`; those that came before the stop are all reported. */
export function sniff(request: SniffRequest, emit: (event: ProbeEvent) => void, stopped: () => boolean): SniffResult {
  const socket = new PacketSocket(request.dev);
  const needle = Buffer.from(request.contains ?? '', 'hex');
  let seen = 0;
  emit({ event: 'sniffing' });
  try {
    for (let last = false; !last; ) {
      last = stopped();
      const frames: SniffedFrame[] = [];
      socket.receive(last ? 0 : STOP_CHECK_MS, (direction, bytes) => {
        seen++;
        const frame = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
        if (needle.length > 0 && !frame.includes(needle)) return;
        frames.push({ direction, length: frame.length, hex: frame.toString('hex', 0, request.snap) });
      });
      if (frames.length > 0) emit({ event: 'frames', frames });
    }
  } finally {
    socket.close();
  }
  return { seen };
}
