/** A port whose host is whoever holds it, for tests and simulations: frames in by `inject`, frames out in `delivered`. */
import { MAX_PACKET, type PacketBatch, type PacketMemory } from '../wire/packet-batch.ts';
import {
  decodeVirtioNet,
  VIRTIO_NET_HEADER_LENGTH,
  type VirtioNetHeader,
  writePlainVirtioNet,
  writeVirtioNet,
} from '../wire/virtio-net.ts';
import type { Port } from './port.ts';

export interface DeliveredFrame {
  /** What the frame's virtio-net header said. */
  readonly header: Readonly<VirtioNetHeader>;
  readonly frame: Uint8Array;
}

interface WaitingFrame {
  readonly header: Readonly<VirtioNetHeader> | null;
  readonly frame: Uint8Array;
}

export class InMemoryPort implements Port {
  readonly name: string;
  readonly takesLargeUdp: boolean;
  /** What was given to the host, the oldest first. */
  readonly delivered: DeliveredFrame[] = [];
  /** False: the interface is down, and neither gives nor takes a frame. */
  isUp = true;
  #waiting: WaitingFrame[] = [];

  constructor(name: string, takesLargeUdp = false) {
    this.name = name;
    this.takesLargeUdp = takesLargeUdp;
  }

  /**
   * The host sends a frame.
   * @param header what it left to be done; a plain frame without.
   * @throws RangeError where no interface could carry it.
   */
  inject(frame: Uint8Array, header: Readonly<VirtioNetHeader> | null = null): void {
    if (frame.length > MAX_PACKET) throw new RangeError(`a frame has at most ${MAX_PACKET} bytes, not ${frame.length}`);
    this.#waiting.push({ header, frame: frame.slice() });
  }

  receive(batch: PacketBatch): number {
    const taken = this.isUp ? this.#waiting.splice(0, batch.capacity) : [];
    for (const [i, { header, frame }] of taken.entries()) {
      const offset = batch.offset[i]!;
      writeHeader(batch.view, offset - VIRTIO_NET_HEADER_LENGTH, header);
      batch.bytes.set(frame, offset);
      batch.length[i] = frame.length;
    }
    batch.count = taken.length;
    return taken.length;
  }

  send(memory: PacketMemory, offset: number, length: number): boolean {
    if (!this.isUp) return false;
    const header: VirtioNetHeader = { flags: 0, gsoType: 0, headerLength: 0, gsoSize: 0, csumStart: 0, csumOffset: 0 };
    decodeVirtioNet(memory.view, offset - VIRTIO_NET_HEADER_LENGTH, header);
    this.delivered.push({ header, frame: memory.bytes.slice(offset, offset + length) });
    return true;
  }

  close(): void {
    this.isUp = false;
    this.#waiting = [];
  }
}

function writeHeader(view: DataView, offset: number, header: Readonly<VirtioNetHeader> | null): void {
  if (header === null) return writePlainVirtioNet(view, offset);
  const { flags, gsoType, headerLength, gsoSize, csumStart, csumOffset } = header;
  writeVirtioNet(view, offset, flags, gsoType, headerLength, gsoSize, csumStart, csumOffset);
}
