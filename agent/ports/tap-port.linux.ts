/** The frames of one TAP: one system call each, a virtio-net header before every frame. */
import type { Arena } from '../sys/arena.linux.ts';
import { EAGAIN, EINTR, lastErrno } from '../sys/errno.linux.ts';
import { close, read, write } from '../sys/libc.linux.ts';
import { MAX_PACKET, type PacketBatch, type PacketMemory } from '../wire/packet-batch.ts';
import { VIRTIO_NET_HEADER_LENGTH } from '../wire/virtio-net.ts';
import type { Port } from './port.ts';
import type { TapQueue } from './tap-device.linux.ts';

export class TapPort implements Port {
  readonly name: string;
  readonly fd: number;
  readonly takesLargeUdp: boolean;
  /** True once the device is gone: somebody deleted it. */
  failed = false;
  readonly #address: number;

  /** @param arena where every packet lies that it is given. */
  constructor({ name, fd, takesLargeUdp }: TapQueue, arena: Arena) {
    this.name = name;
    this.fd = fd;
    this.takesLargeUdp = takesLargeUdp;
    this.#address = arena.address;
  }

  receive(batch: PacketBatch): number {
    let count = 0;
    while (count < batch.capacity) {
      const header = this.#address + batch.offset[count]! - VIRTIO_NET_HEADER_LENGTH;
      const length = read(this.fd, header, VIRTIO_NET_HEADER_LENGTH + MAX_PACKET);
      if (length < 0) {
        const errno = lastErrno();
        if (errno === EINTR) continue;
        if (errno !== EAGAIN) this.failed = true;
        break;
      }
      batch.length[count] = length - VIRTIO_NET_HEADER_LENGTH;
      count++;
    }
    batch.count = count;
    return count;
  }

  send(_memory: PacketMemory, offset: number, length: number): boolean {
    const header = this.#address + offset - VIRTIO_NET_HEADER_LENGTH;
    return write(this.fd, header, VIRTIO_NET_HEADER_LENGTH + length) >= 0;
  }

  close(): void {
    close(this.fd);
  }
}
