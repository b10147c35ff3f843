/** Pings, timed by blocking on the socket: this runs in a thread of its own, away from the event loop. */
import { EchoSocket } from './echo-socket.linux.ts';
import type { PingRequest, PingResult } from './protocol.ts';

/** How soon a stop is noticed. */
const STOP_CHECK_MS = 50;
const SEQUENCES = 0x1_0000;

/**
 * Pings until `count` are answered or timed out, or until `stopped`. Blocks.
 * @param identifier see `EchoSocket`.
 * @throws SysError where no raw socket can be had; a send that fails is named in the result instead.
 */
export function ping(request: PingRequest, identifier: number, stopped: () => boolean): PingResult {
  const socket = new EchoSocket(request.to, request.from, identifier, request.size);
  const count = request.count ?? Number.POSITIVE_INFINITY;
  const sentAt: number[] = [];
  const rttsMs: (number | null)[] = [];
  let received = 0;
  let sendError: string | null = null;
  let nextAt = performance.now();
  try {
    for (;;) {
      const sending = rttsMs.length < count && !stopped();
      const now = performance.now();
      if (sending && now >= nextAt) {
        const sequence = rttsMs.push(null) - 1;
        sentAt.push(performance.now());
        sendError = socket.send(sequence) ?? sendError;
        nextAt = Math.max(nextAt + request.intervalMs, now);
        continue;
      }
      const lastSentAt = sentAt.at(-1) ?? 0;
      const remainingMs = (sending ? nextAt : lastSentAt + request.timeoutMs) - now;
      if (!sending && (received === rttsMs.length || remainingMs <= 0)) break;
      socket.wait(Math.min(Math.ceil(remainingMs), STOP_CHECK_MS));
      const at = performance.now();
      for (let low = socket.receive(); low !== null; low = socket.receive()) {
        // The newest with these 16 bits.
        const last = rttsMs.length - 1;
        const sequence = last - ((last - low + SEQUENCES) % SEQUENCES);
        const since = sentAt[sequence];
        if (since === undefined || rttsMs[sequence] !== null) continue;
        rttsMs[sequence] = at - since;
        received++;
      }
    }
  } finally {
    socket.close();
  }
  return { sent: rttsMs.length, received, rttsMs, ...(sendError === null ? {} : { sendError }) };
}
