/** A capture as a stream of pcapng: what the agent gives to who asks for it on its socket. */
import type { Capture, CapturedFrame } from '../datapath/datapath.ts';
import { concat, encodeEnd, encodePacket, encodeStart, INBOUND, OUTBOUND } from './pcapng.ts';

/**
 * How often the capture is looked into. The data path wakes nobody: a frame must cost it no more than a copy, and its ring holds what comes
 * meanwhile.
 */
const POLL_MS = 20;

export interface CaptureStreamOptions {
  /** What Wireshark shows as the interface. */
  readonly name: string;
  readonly application: string;
  readonly snapLength: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Resolves after `ms`, or once `signal` says so. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Ends in order once `signal` says so. Whoever reads sets the pace: what he is too slow for is missed, and counted.
 * The capture ends with the stream.
 */
export async function* streamCapture(
  capture: Capture,
  options: CaptureStreamOptions,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  let received = 0;
  let dropped = 0;
  const encode = (frame: CapturedFrame): Uint8Array => {
    const missed = frame.dropped - dropped;
    dropped = frame.dropped;
    received++;
    const { time, bytes, length } = frame;
    const direction = typeof frame.to === 'object' && 'port' in frame.to ? INBOUND : OUTBOUND;
    return encodePacket({ time, bytes, length, comment: pathOf(frame), direction, missed });
  };
  try {
    yield encodeStart(options.application, options.name, options.snapLength);
    while (!signal.aborted) {
      const frames = capture.read();
      if (frames.length > 0) yield concat(frames.map(encode));
      else await options.wait(POLL_MS, signal);
    }
    for (let frames = capture.read(); frames.length > 0; frames = capture.read()) yield concat(frames.map(encode));
    yield encodeEnd(options.now() * 1000, received, capture.dropped);
  } finally {
    capture.end();
  }
}

/** `blue0 > 192.0.2.2:4789` */
function pathOf({ from, to }: CapturedFrame): string {
  return `${placeOf(from)} > ${placeOf(to)}`;
}

function placeOf(place: CapturedFrame['from'] | CapturedFrame['to']): string {
  if (typeof place === 'string') return place;
  if ('port' in place) return place.port;
  const { address, port } = place.vtep;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
