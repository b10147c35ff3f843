/**
 * Where the datagrams of `blast.ts` end. The socket holds next to nothing and is never read: the kernel counts what its full buffer can't
 * take (the last column of /proc/net/udp), which costs less than reading would, so that the sink isn't what is measured.
 */

import { AF_INET } from '../../../agent/sys/sockaddr.linux.ts';
import { bindUdpSocket, openUdpSocket, SO_RCVBUF, setOption } from '../../../agent/underlay/udp-socket.linux.ts';
import { DISCARD_PORT } from './discard-port.ts';

const kind = { family: AF_INET, address: new Uint8Array(4), isDual: false } as const;
const fd = openUdpSocket(kind);
setOption(fd, SO_RCVBUF, 0);
bindUdpSocket(fd, kind, DISCARD_PORT);
process.stdout.write('ready\n');
setInterval(() => {}, 60_000);
