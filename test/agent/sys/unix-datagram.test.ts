import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { sendUnixDatagram } from '../../../agent/sys/unix-datagram.linux.ts';
import { DatagramSocket } from './datagram-socket.linux.ts';

test('a datagram reaches a socket in the file system, and an abstract one', () => {
  const folder = mkdtempSync(join(tmpdir(), 'overlane-'));
  const abstract = `overlane-test-${process.pid}`;
  const sockets = [new DatagramSocket(join(folder, 'notify')), new DatagramSocket(`\0${abstract}`)];
  sendUnixDatagram(join(folder, 'notify'), 'READY=1\nSTATUS=grün');
  sendUnixDatagram(`@${abstract}`, 'STOPPING=1');
  expect(sockets.map((socket) => [socket.take(), socket.take()])).toEqual([
    ['READY=1\nSTATUS=grün', null],
    ['STOPPING=1', null],
  ]);
  for (const socket of sockets) socket.close();
  rmSync(folder, { recursive: true });
});

test('where nobody listens, or the path can be no socket, that is an error', () => {
  expect(() => sendUnixDatagram('/nowhere/notify', 'READY=1')).toThrow('ENOENT');
  expect(() => sendUnixDatagram(`/${'x'.repeat(200)}`, 'READY=1')).toThrow(RangeError);
});
