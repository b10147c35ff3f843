import { describe, expect, it } from 'vitest';
import { COUNTER_NAMES } from '../../agent/datapath/counters.ts';
import { EVENT_KINDS, type Event } from '../../src/contract/events.ts';
import { formatCsv } from '../../src/dashboard/format/csv.ts';
import { DROP_REASONS, dropReason, dropsOf } from '../../src/dashboard/format/drops.ts';
import { describeEvent, EVENTS } from '../../src/dashboard/format/event.ts';
import { formatBits, formatCount, plural } from '../../src/dashboard/format/number.ts';
import { formatRelative } from '../../src/dashboard/format/time.ts';

describe('figures', () => {
  it('stand in the unit that leaves few digits', () => {
    expect([0, 0.2, 830, 12_345, 999_999, 4.712e9].map(formatBits)).toEqual([
      '0',
      '0',
      '830 bit/s',
      '12.3 kbit/s',
      '1.00 Mbit/s',
      '4.71 Gbit/s',
    ]);
    expect(formatCount(100_000)).toBe('100,000');
    expect([plural(1, 'site'), plural(0, 'site'), plural(2, 'address', 'addresses')]).toEqual([
      '1 site',
      '0 sites',
      '2 addresses',
    ]);
  });

  it('say times as people do', () => {
    const now = Date.parse('2026-11-24T12:00:00Z');
    const ago = (seconds: number) => formatRelative(now - seconds * 1000, now);
    expect([ago(2), ago(42), ago(119), ago(7200), ago(86_400 * 9), ago(-7200)]).toEqual([
      'just now',
      '42 s ago',
      '1 min ago',
      '2 h ago',
      '9 days ago',
      'in 2 h',
    ]);
  });
});

describe('a table for spreadsheets', () => {
  it('quotes what has to be, and lets nothing be taken for a formula', () => {
    const rows = [{ name: '=HYPERLINK("http://x")', note: 'a, "b"\nc', count: -4 }];
    const text = formatCsv(rows, [
      ['name', ({ name }) => name],
      ['note', ({ note }) => note],
      ['count', ({ count }) => count],
      ['none', () => undefined],
    ]);
    expect(text).toBe('name,note,count,none\r\n"\'=HYPERLINK(""http://x"")","a, ""b""\nc",-4,\r\n');
  });
});

describe('reasons for drops', () => {
  it('are told for each that an agent counts', () => {
    const counted = COUNTER_NAMES.filter((name) => name.startsWith('drop'));
    expect(counted.filter((name) => !Object.hasOwn(DROP_REASONS, name))).toEqual([]);
  });

  it('stand in words for those of a newer agent, too', () => {
    expect(dropReason('dropEcnMismatch').title).toBe('Ecn mismatch');
  });

  it('come with the most frequent first, and only where something was dropped', () => {
    expect(dropsOf({ dropTooBig: 2, dropNoPort: 0, dropFloodLimit: 9, portRxFrames: 5 })).toEqual([
      { name: 'dropFloodLimit', count: 9 },
      { name: 'dropTooBig', count: 2 },
    ]);
  });
});

describe('events', () => {
  const event = (of: Partial<Event>): Event => ({
    id: '1-1',
    at: '2026-11-24T12:00:00Z',
    kind: 'network_changed',
    revision: 1,
    actor: { kind: 'key', id: 'k1', name: 'Ada' },
    subject: 'n1',
    ...of,
  });

  it('are sentences whatever their kind, though nothing but the subject is known', () => {
    for (const kind of EVENT_KINDS) {
      const { who, what } = describeEvent(event({ kind }), () => undefined);
      expect(`${who} ${what}`, kind).not.toMatch(/undefined|null|\[object|NaN/);
      expect(EVENTS[kind].label).not.toBe('');
    }
  });

  it('name what changed, and use the names that people know', () => {
    const changed = event({ before: { name: 'blue', mtu: 1450 }, after: { name: 'blue', mtu: 1400 } });
    expect(describeEvent(changed, () => undefined).what).toBe('changed the network blue: mtu');
    const attached = event({ kind: 'site_attached', subject: 's1', after: { network: 'n1', vni: 5 } });
    const names: Record<string, string> = { s1: 'oslo', n1: 'blue' };
    expect(describeEvent(attached, (id) => names[id]).what).toBe('attached oslo to blue');
    expect(describeEvent({ ...attached, actor: { kind: 'site', id: 's1', name: 'oslo' } }, (id) => names[id])).toEqual({
      who: 'oslo',
      what: 'attached itself to blue',
    });
  });
});
