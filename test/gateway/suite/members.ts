import { expect, test } from 'vitest';
import type { Event } from '../../../src/contract/events.ts';
import type { Member } from '../../../src/contract/members.ts';
import { type Host, newTenant } from '../host.ts';

export function members(host: () => Host): void {
  test('an admin says which persons are let in, by e-mail address or subject, and as what', async () => {
    const { admin, at } = await newTenant(host());
    const ada = await admin.made<Member>('POST', `${at}/members`, { email: 'Ada@Example.com', role: 'viewer' });
    expect(ada).toMatchObject({ email: 'ada@example.com', role: 'viewer' });
    const bob = await admin.made<Member>('POST', `${at}/members`, { subject: 'bob-1', role: 'admin' });
    const taken = await admin.refused('POST', `${at}/members`, { email: 'ada@example.com', role: 'admin' });
    expect(taken).toMatchObject({ code: 'member_taken' });
    expect(await admin.made('PATCH', `${at}/members/${ada.id}`, { role: 'admin' })).toMatchObject({ role: 'admin' });
    expect((await admin.call('DELETE', `${at}/members/${bob.id}`)).status).toBe(204);
    expect(await admin.refused('DELETE', `${at}/members/${bob.id}`)).toMatchObject({ code: 'not_found' });
    const { items } = await admin.made<{ items: Member[] }>('GET', `${at}/members`);
    expect(items.map(({ id }) => id)).toEqual([ada.id]);
    const { items: events } = await admin.made<{ items: Event[] }>('GET', `${at}/events?kind=member_changed`);
    expect(events).toMatchObject([{ subject: ada.id, before: { role: 'viewer' }, after: { role: 'admin' } }]);
  });

  test('a member is either an e-mail address or a subject, in form, and another tenant’s is not there', async () => {
    const { admin, at } = await newTenant(host());
    for (const body of [
      { role: 'admin' },
      { email: 'a@b', subject: 's', role: 'admin' },
      { email: 'nonsense', role: 'admin' },
      { email: 'a@b', role: 'operator' },
    ]) {
      expect(await admin.refused('POST', `${at}/members`, body)).toMatchObject({ code: 'invalid_body' });
    }
    const other = await newTenant(host());
    const { id } = await other.admin.made<Member>('POST', `${other.at}/members`, { email: 'a@b', role: 'admin' });
    for (const [method, body] of [
      ['PATCH', { role: 'viewer' }],
      ['DELETE', undefined],
    ] as const) {
      expect(await admin.refused(method, `${at}/members/${id}`, body)).toMatchObject({ code: 'not_found' });
    }
  });
}
