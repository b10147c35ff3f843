import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AddressTable, addressWords } from '../../../agent/datapath/address-table.ts';
import { parseIp } from '../../../src/contract/ip.ts';

const wordsOf = (text: string): Uint32Array => addressWords(parseIp(text)!);

describe('an address table', () => {
  it('gives every user of an address the same number, and forgets it with the last', () => {
    const table = new AddressTable();
    const a = table.acquire(wordsOf('10.0.0.1'));
    expect(table.acquire(wordsOf('10.0.0.1'))).toBe(a);
    const b = table.acquire(wordsOf('fd09::1'));
    expect(b).not.toBe(a);
    table.release(a);
    expect(table.lookup(wordsOf('10.0.0.1'), 0)).toBe(a);
    table.release(a);
    expect(table.lookup(wordsOf('10.0.0.1'), 0)).toBe(-1);
    expect(table.lookup(wordsOf('fd09::1'), 0)).toBe(b);
  });

  it('reads the address where it is told to', () => {
    const table = new AddressTable();
    const number = table.acquire(wordsOf('fd09::1'));
    const words = new Uint32Array(12);
    words.set(wordsOf('fd09::1'), 8);
    expect(table.lookup(words, 8)).toBe(number);
    expect(table.lookup(words, 4)).toBe(-1);
  });

  it('does what a Map of counts would, through any run of changes', () => {
    const address = fc.oneof(
      fc.nat(120).map((n) => `10.0.${n % 4}.${n}`),
      fc.nat(120).map((n) => `fd09::${(n % 5).toString(16)}:${n.toString(16)}`),
    );
    const step = fc.record({ address, acquire: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
        const table = new AddressTable();
        const model = new Map<string, { number: number; users: number }>();
        const seen = new Set<string>();
        for (const { address: text, acquire } of steps) {
          const known = model.get(text);
          seen.add(text);
          if (acquire) {
            const number = table.acquire(wordsOf(text));
            if (known === undefined) {
              expect([...model.values()].map((it) => it.number)).not.toContain(number);
              model.set(text, { number, users: 1 });
            } else {
              expect(number).toBe(known.number);
              known.users++;
            }
          } else if (known !== undefined) {
            table.release(known.number);
            known.users--;
            if (known.users === 0) model.delete(text);
          }
        }
        for (const text of seen) expect(table.lookup(wordsOf(text), 0)).toBe(model.get(text)?.number ?? -1);
      }),
      { numRuns: 60 },
    );
  });
});

describe('the words of an address', () => {
  it('are those of its IPv4-mapped form where it is IPv4', () => {
    expect([...wordsOf('10.1.2.3')]).toEqual([0, 0, 0xffff, 0x0a01_0203]);
  });

  it('are its own where it is IPv6', () => {
    expect([...wordsOf('2001:db8:1:2:3:4:5:6')]).toEqual([0x2001_0db8, 0x0001_0002, 0x0003_0004, 0x0005_0006]);
  });
});
