/**
 * Where frames of a network enter and leave this host. Batch first: one call moves as many frames as there are.
 *
 * A frame in memory is always preceded by its virtio-net header (`VIRTIO_NET_HEADER_LENGTH` bytes), which says what is still to be
 * done to it: a checksum to complete, a large segment to split. Whoever puts a frame into memory writes that header; a TAP takes and
 * gives both in one system call.
 */
import type { PacketBatch, PacketMemory } from '../wire/packet-batch.ts';

export interface Port {
  /** The interface's name on this host. */
  readonly name: string;
  /** Whether the host takes UDP datagrams of one size together (`VIRTIO_NET_GSO_UDP_L4`). */
  readonly takesLargeUdp: boolean;

  /**
   * Fills `batch` from its first slot with the frames that wait, at most its capacity, and sets `count`. Never blocks.
   * The frames are the caller's until its next call with that batch.
   * @returns `count`; 0 where nothing waits or the interface is down.
   */
  receive(batch: PacketBatch): number;

  /**
   * Gives one frame, of `length` bytes at `offset`, to the host. Never blocks and keeps nothing of the memory.
   * @returns false where the host did not take it (the queue is full, the interface is down).
   */
  send(memory: PacketMemory, offset: number, length: number): boolean;

  close(): void;
}
