/**
 * The network between VTEPs: UDP datagrams in and out, in batches.
 *
 * Sending queues; `flush` hands the queue to the kernel. The memory of a queued datagram must not change before the flush. One
 * datagram may be queued for many destinations: the bytes are not copied.
 */
import type { DatagramBatch } from '../wire/packet-batch.ts';

export const SEND_FAILURES = ['tooBig', 'busy', 'unreachable'] as const;
/** `tooBig`: beyond the path's MTU (it is never fragmented); `busy`: the queue was full; `unreachable`: no route, or refused. */
export type SendFailure = (typeof SEND_FAILURES)[number];

/** The source ports that flows are spread over, so that ECMP and RSS on the underlay can tell them apart (RFC 7348 §5). A power of two. */
export const SOURCE_PORT_LANES = 16;

export interface Underlay {
  /**
   * Makes a VTEP known, once more for each call. Control path: may allocate.
   * @returns a small number to send to it by, the same for the same address and port; or -1 where it can't be sent to: the address
   *   is of a family that this underlay does not carry, or there are too many.
   */
  addDestination(address: string, port: number): number;

  /** Takes back one call of `addDestination`; after the last the number may be given again. */
  removeDestination(destination: number): void;

  /** Fills `batch` with the datagrams that wait, at most its capacity, and sets `count`. Never blocks. */
  receive(batch: DatagramBatch): number;

  /**
   * Queues `length` bytes at `offset` of the memory given when the underlay was made.
   * @param lane which source port, from 0 to `SOURCE_PORT_LANES - 1`.
   * @param trafficClass the DSCP and ECN bits of the outer IP header.
   * @param tag given back where the datagram can't be sent.
   */
  send(offset: number, length: number, destination: number, lane: number, trafficClass: number, tag: number): void;

  /**
   * Sends datagrams that lie one behind the other, all of `segmentSize` bytes but the last, after what is queued: at once, so that
   * the memory may be used again. `failed` is called for each that was not sent.
   */
  sendTrain(
    offset: number,
    length: number,
    segmentSize: number,
    destination: number,
    lane: number,
    trafficClass: number,
    tag: number,
    failed: (tag: number, failure: SendFailure) => void,
  ): void;

  /** Sends what is queued. `failed` is called for each datagram that was not sent; the others go all the same. */
  flush(failed: (tag: number, failure: SendFailure) => void): void;

  close(): void;
}
