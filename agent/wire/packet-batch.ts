/**
 * Where packets lie: a run of slots in one piece of memory, each with an offset and a length. Frames are never objects; a codec takes
 * (view, offset), so that a packet costs no allocation.
 */

/** How many datagrams a train may have, that leave in one call: `UDP_MAX_SEGMENTS` of older kernels (linux/udp.h); newer ones take 128. */
export const MAX_TRAIN_SEGMENTS = 64;
/** And how many bytes in all: the largest UDP payload over IPv4. */
export const MAX_TRAIN_BYTES = 65_507;

/** The memory that packets lie in. */
export interface PacketMemory {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/**
 * Bytes before every packet that belong to whoever holds it: room for the virtio-net header that precedes a frame of a TAP, or for
 * the VXLAN header that precedes it on the wire.
 */
export const HEADROOM = 64;

/** The largest packet: an IP datagram's 65,535 bytes and an Ethernet header with a VLAN tag. */
export const MAX_PACKET = 65_535 + 18;

/** What one slot takes: headroom, packet, rounded up to a cache line. */
export const SLOT_SIZE = (HEADROOM + MAX_PACKET + 63) & ~63;

/** A batch that a port or underlay fills and the forwarder reads. Arrays have `capacity` entries, of which `count` are valid. */
export interface PacketBatch extends PacketMemory {
  readonly capacity: number;
  count: number;
  /** Where each packet starts, in bytes from the start of the memory. */
  readonly offset: Int32Array;
  readonly length: Int32Array;
}

/** A batch of datagrams, which also says who sent each: four 32-bit words of an IPv6 or IPv4-mapped address. */
export interface DatagramBatch extends PacketBatch {
  readonly source: Uint32Array;
  /**
   * Where the kernel put several datagrams of one sender together (`UDP_GRO`): the size of each but the last. Otherwise the length, or
   * more.
   */
  readonly segmentSize: Int32Array;
  /** The DSCP and ECN bits of the outer IP header, the same for all that the kernel put together. */
  readonly trafficClass: Uint8Array;
}

/** A batch over `memory`, whose slots start at `base`. */
export function createBatch(memory: PacketMemory, base: number, capacity: number): DatagramBatch {
  const offset = new Int32Array(capacity);
  for (let i = 0; i < capacity; i++) offset[i] = base + i * SLOT_SIZE + HEADROOM;
  return {
    bytes: memory.bytes,
    view: memory.view,
    capacity,
    count: 0,
    offset,
    length: new Int32Array(capacity),
    source: new Uint32Array(capacity * 4),
    segmentSize: new Int32Array(capacity),
    trafficClass: new Uint8Array(capacity),
  };
}
