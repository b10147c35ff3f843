/** What this host lets an agent do, by trying it; nothing is left behind. */
import { readFileSync } from 'node:fs';
import { missingForKernel } from '../kernel/probe.ts';
import { Arena } from '../sys/arena.linux.ts';
import { lastErrno, SysError } from '../sys/errno.linux.ts';
import { close, ioctl, O_CLOEXEC, O_RDWR, open } from '../sys/libc.linux.ts';
import { openUdpSocket, setOption, socketKind, UDP_GRO, UDP_SEGMENT } from '../underlay/udp-socket.linux.ts';
import type { Finding } from './finding.ts';

/** linux/capability.h */
const CAP_NET_ADMIN = 12n;
/** linux/if_tun.h */
const TUNGETFEATURES = 0x800454cf;
const IFF_VNET_HDR = 0x4000;
/** Any size that fits a link. */
const TRAIN_SEGMENT_BYTES = 1400;

export function checkHost(): Finding[] {
  return [checkCapability(), ...checkTun(), ...checkTrains(), checkKernel()];
}

function checkCapability(): Finding {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  if ((BigInt(`0x${effective}`) >> CAP_NET_ADMIN) & 1n) {
    return { check: 'capabilities', verdict: 'pass', says: 'CAP_NET_ADMIN is there' };
  }
  const todo = 'run as root, or as the service that `overlane-agent install` makes; ask doctor as root too';
  return { check: 'capabilities', verdict: 'fail', says: 'CAP_NET_ADMIN is missing: no interface can be made', todo };
}

function checkTun(): Finding[] {
  const check = '/dev/net/tun';
  const fd = open(check, O_RDWR | O_CLOEXEC, 0);
  if (fd < 0) {
    const { code } = new SysError('open', lastErrno());
    const isMissing = code === 'ENOENT' || code === 'ENODEV' || code === 'ENXIO';
    const todo = isMissing
      ? 'load the tun module (modprobe tun), or give the container that device'
      : 'chmod 666 it, as most systems have it; in a container, allow it to be used';
    return [{ check, verdict: 'fail', says: isMissing ? 'it is missing' : `it can't be opened (${code})`, todo }];
  }
  try {
    const arena = new Arena(64);
    const features = arena.take(4);
    const known = ioctl(fd, TUNGETFEATURES, arena.address + features) === 0 ? arena.view.getUint32(features, true) : 0;
    const opened: Finding = { check, verdict: 'pass', says: 'it can be opened' };
    const takesLarge = (known & IFF_VNET_HDR) !== 0;
    return [
      opened,
      takesLarge
        ? { check: 'TAP offloads', verdict: 'pass', says: 'large segments pass whole' }
        : {
            check: 'TAP offloads',
            verdict: 'fail',
            says: 'this kernel’s TAPs take no virtio-net header',
            todo: 'use Linux 4.8 or later',
          },
    ];
  } finally {
    close(fd);
  }
}

function checkTrains(): Finding[] {
  const fd = openUdpSocket(socketKind(null));
  try {
    return [
      offload('UDP_SEGMENT', setOption(fd, UDP_SEGMENT, TRAIN_SEGMENT_BYTES), 'many datagrams leave by one call'),
      offload('UDP_GRO', setOption(fd, UDP_GRO, 1), 'datagrams of a flow come together'),
    ];
  } finally {
    close(fd);
  }
}

function offload(check: string, isThere: boolean, gain: string): Finding {
  if (isThere) return { check, verdict: 'pass', says: gain };
  return {
    check,
    verdict: 'warn',
    says: 'this kernel has it not: userspace forwards slower',
    todo: 'use Linux 5.0 or later',
  };
}

function checkKernel(): Finding {
  const missing = missingForKernel();
  if (missing === null)
    return { check: 'kernel datapath', verdict: 'pass', says: 'the kernel itself can carry frames' };
  const says = `frames are carried in userspace, since the kernel lacks ${missing}`;
  return { check: 'kernel datapath', verdict: 'warn', says, todo: 'nothing, unless it shall be faster' };
}
