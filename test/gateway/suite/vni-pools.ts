import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Event } from '../../../src/contract/events.ts';
import type { QuarantinedVni, VniPool } from '../../../src/contract/vni-pools.ts';
import { freshVnis, type Host, newTenant, type TestTenant } from '../host.ts';
import { range, VniModel } from '../vni-model.ts';

const POOL = '/v1/vni-pools';
const RESTING = '/v1/vni-quarantine';

export function vniPools(host: () => Host): void {
  const poolFor = ({ operator, slug }: TestTenant, first: number, last: number) =>
    operator.made<VniPool>('POST', POOL, { name: `pool-${first}`, first, last, tenant: slug });

  test('a tenant’s own pool is used before the shared one, and no other tenant gets a number of it', async () => {
    const [tenant, other] = [await newTenant(host()), await newTenant(host())];
    const first = freshVnis(2);
    const pool = await poolFor(tenant, first, first + 1);
    expect(pool).toMatchObject({ first, last: first + 1, tenant: tenant.slug, free: 2, used: 0, quarantined: 0 });
    const take = async ({ admin, at }: TestTenant, name: string) =>
      (await admin.made<{ vni: number }>('POST', `${at}/networks`, { name })).vni;
    expect(await take(other, 'a')).toBeLessThan(first);
    expect(await other.admin.refused('POST', `${other.at}/networks`, { name: 'b', vni: first })).toMatchObject({
      status: 422,
      code: 'vni_out_of_range',
    });
    expect([await take(tenant, 'a'), await take(tenant, 'b')]).toEqual([first, first + 1]);
    expect(await take(tenant, 'c')).toBeLessThan(first);
    expect(await tenant.operator.made('GET', `${POOL}/${pool.id}`)).toMatchObject({ free: 0, used: 2 });
    expect(await tenant.operator.refused('DELETE', tenant.at)).toMatchObject({ code: 'tenant_not_empty' });
  });

  test('a pool that overlaps another, or has a number in use, is refused for what it is', async () => {
    const tenant = await newTenant(host());
    const { operator, admin, at } = tenant;
    const first = freshVnis(20);
    const pool = await poolFor(tenant, first, first + 9);
    const refused = (from: number, to: number, name = 'p') =>
      operator.refused('POST', POOL, { name, first: from, last: to });
    for (const [from, to] of [
      [first, first + 9],
      [first + 3, first + 4],
      [first - 1, first],
      [first + 9, first + 12],
      [first - 1, first + 11],
    ] as const) {
      expect(await refused(from, to), `${from}–${to}`).toMatchObject({ status: 409, code: 'pool_overlap' });
    }
    expect(await refused(first + 10, first + 10, pool.name)).toMatchObject({ status: 409, code: 'name_taken' });
    await admin.made('POST', `${at}/networks`, { name: 'a', vni: first + 15 });
    expect(await refused(first + 10, first + 15)).toMatchObject({ status: 409, code: 'vni_in_use' });
    expect(await refused(first + 12, first + 11)).toMatchObject({ code: 'invalid_body', errors: [{ path: 'last' }] });
    expect(
      await operator.refused('POST', POOL, { name: 'p', first: 5, last: 6, tenant: 'nobody-of-that-slug' }),
    ).toMatchObject({ code: 'invalid_body', errors: [{ path: 'tenant' }] });
    expect(await admin.refused('GET', POOL)).toMatchObject({ status: 403 });
    expect(await operator.refused('DELETE', `${POOL}/shared`)).toMatchObject({ status: 403, code: 'forbidden' });
    expect(await operator.refused('DELETE', `${POOL}/none`)).toMatchObject({ status: 404 });
  });

  test('a pool that is given back leaves its numbers in use alone; they go to the shared one when released', async () => {
    const [tenant, other] = [await newTenant(host()), await newTenant(host())];
    const { operator, admin, at } = tenant;
    const first = freshVnis(3);
    const pool = await poolFor(tenant, first, first + 2);
    await admin.made('POST', `${at}/networks`, { name: 'a' });
    expect((await operator.call('DELETE', `${POOL}/${pool.name}`)).status).toBe(204);
    expect(await admin.made('GET', `${at}/networks/a`)).toMatchObject({ vni: first });
    await other.admin.made('POST', `${other.at}/networks`, { name: 'b', vni: first + 1 });
    await admin.call('DELETE', `${at}/networks/a`);
    await operator.call('DELETE', `${RESTING}/${first}`);
    await other.admin.made('POST', `${other.at}/networks`, { name: 'a', vni: first });
    const kinds = (await admin.made<{ items: Event[] }>('GET', `${at}/events`)).items.map(({ kind }) => kind);
    expect(kinds).toEqual([
      'api_key_created',
      'vni_pool_created',
      'network_created',
      'vni_pool_deleted',
      'network_deleted',
    ]);
  });

  test('what rests is listed with its end, and the operator may end it early', async () => {
    const tenant = await newTenant(host());
    const { operator, admin, at, slug } = tenant;
    const vni = freshVnis(1);
    await admin.made('POST', `${at}/networks`, { name: 'a', vni });
    await admin.call('DELETE', `${at}/networks/a`);
    const resting = await find(vni);
    expect(resting).toMatchObject({ vni, tenant: slug });
    expect(Date.parse(resting!.until) - Date.parse(resting!.releasedAt)).toBe(host().holdSeconds * 1000);
    expect(await admin.refused('DELETE', `${RESTING}/${vni}`)).toMatchObject({ status: 403 });
    expect((await operator.call('DELETE', `${RESTING}/${vni}`)).status).toBe(204);
    expect(await find(vni)).toBeUndefined();
    expect(await operator.refused('DELETE', `${RESTING}/${vni}`)).toMatchObject({ status: 404 });
    await admin.made('POST', `${at}/networks`, { name: 'a', vni });

    async function find(wanted: number): Promise<QuarantinedVni | undefined> {
      const { items } = await operator.made<{ items: QuarantinedVni[] }>('GET', `${RESTING}?limit=500`);
      return items.find((item) => item.vni === wanted);
    }
  });

  test('over HTTP too, a pool and its numbers go by the rules over single numbers', async () => {
    const SIZE = 5;
    const offset = fc.nat(SIZE - 1);
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.constant(['take any'] as const) },
      { weight: 3, arbitrary: fc.tuple(fc.constant('take' as const), offset) },
      { weight: 4, arbitrary: fc.tuple(fc.constant('give back' as const), offset) },
      { weight: 3, arbitrary: fc.tuple(fc.constant('release early' as const), offset) },
      { weight: 1, arbitrary: fc.constant(['undo pool'] as const) },
      { weight: 2, arbitrary: fc.constant(['carve'] as const) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 15, maxLength: 25 }), async (steps) => {
        const tenant = await newTenant(host());
        const { operator, admin, at, slug } = tenant;
        const first = freshVnis(SIZE);
        const last = first + SIZE - 1;
        const shared = { id: 'shared', first, last, tenant: null };
        const pool = { id: 'own', first, last, tenant: slug };
        const model = new VniModel(shared, range(first, last));
        const begun = Date.now();
        for (const [n, [what, at_ = 0]] of steps.entries()) {
          // From here on a rest may end by itself, at a moment that the model can't know.
          if (Date.now() - begun > host().holdSeconds * 800) return;
          const vni = first + at_;
          if (what === 'take any') {
            const expected = model.outcomeOfTaking(slug, undefined);
            const made = await admin.made<{ vni: number }>('POST', `${at}/networks`, { name: `n${n}` });
            // Without a pool of its own the tenant gets the lowest number of all that there are.
            if (model.carved.size > 0 && typeof expected === 'number') expect(made.vni).toBe(expected);
            else expect(made.vni).toBeLessThan(first);
            if (made.vni >= first) model.inUse.set(made.vni, { id: `n${n}`, tenant: slug });
          } else if (what === 'take') {
            const expected = model.outcomeOfTaking(slug, vni);
            const { body } = await admin.call<{ vni?: number; code?: string }>('POST', `${at}/networks`, {
              name: `n${n}`,
              vni,
            });
            expect(body.code ?? body.vni).toBe(expected);
            if (expected === vni) model.inUse.set(vni, { id: `n${n}`, tenant: slug });
          } else if (what === 'give back') {
            const network = model.inUse.get(vni);
            if (network === undefined) continue;
            expect((await admin.call('DELETE', `${at}/networks/${network.id}`)).status).toBe(204);
            model.inUse.delete(vni);
            model.resting.set(vni, Number.POSITIVE_INFINITY);
          } else if (what === 'release early') {
            const status = model.resting.delete(vni) ? 204 : 404;
            expect((await operator.call('DELETE', `${RESTING}/${vni}`)).status).toBe(status);
          } else if (what === 'carve') {
            const expected = model.outcomeOfCarving(first, last);
            const body = { name: `own-${first}`, first, last, tenant: slug };
            const { status, body: answer } = await operator.call<{ code?: string }>('POST', POOL, body);
            expect(answer.code ?? 'carved').toBe(expected);
            if (status === 201) model.carved.set('own', pool);
          } else {
            const status = model.carved.delete('own') ? 204 : 404;
            expect((await operator.call('DELETE', `${POOL}/own-${first}`)).status).toBe(status);
          }
          if (!model.carved.has('own')) continue;
          expect(await operator.made('GET', `${POOL}/own-${first}`)).toMatchObject({
            free: model.freeIn(pool).length,
            used: model.inUse.size,
            quarantined: model.resting.size,
          });
        }
      }),
      { numRuns: 4 },
    );
  });
}
