import { expect, test, vi } from 'vitest';
import { createTenant } from '../../src/db/tenants.ts';
import { Room, type Watcher } from '../../src/hub/room.ts';
import { memoryStore } from './memory-store.ts';

test('a clock that is set back holds up no telling', async () => {
  const { db, close } = memoryStore();
  await createTenant(db, { id: 't', epoch: 'e', now: 0 }, { slug: 't', name: 't' });
  let told = 0;
  const watcher: Watcher = {
    state: { siteId: 'none', epoch: 'e', publicKey: 'k', position: { told: 0, seen: 0 } },
    send: () => {},
    close: () => {
      told += 1;
    },
  };
  const room = new Room(db, 't', () => [watcher]);
  vi.useFakeTimers({ toFake: ['Date', 'setTimeout'] });
  try {
    await room.tell();
    vi.setSystemTime(Date.now() - 3_600_000);
    const again = room.tell();
    await vi.advanceTimersByTimeAsync(1000);
    expect(told).toBe(2);
    await again;
  } finally {
    vi.useRealTimers();
    close();
  }
});
