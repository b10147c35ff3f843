/** What agents and gateways of released versions say must stay readable; `test/fixtures/contract-1.0` is what 0.1.0 said. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { expect, test } from 'vitest';
import { EnrolledSchema, EnrollSchema, HeartbeatSchema } from '../../src/contract/agent.ts';
import { ProblemSchema } from '../../src/contract/errors.ts';
import { MacReportedSchema, MacReportSchema } from '../../src/contract/macs.ts';
import { TableUpdateSchema } from '../../src/contract/table.ts';
import { CONTRACT_VERSION, speaksContract } from '../../src/contract/version.ts';
import { isOfUnknownType, PushSchema, WatcherSaysSchema } from '../../src/contract/watch.ts';

const RECORDED = join(import.meta.dirname, '../fixtures/contract-1.0');

/** Who reads each of the messages, and as what. */
const SCHEMAS: Readonly<Record<string, v.GenericSchema>> = {
  'enroll-request': EnrollSchema,
  'enroll-answer': EnrolledSchema,
  snapshot: TableUpdateSchema,
  delta: TableUpdateSchema,
  'macs-request': MacReportSchema,
  'macs-answer': MacReportedSchema,
  'heartbeat-request': HeartbeatSchema,
  'push-delta': PushSchema,
  'push-changed': PushSchema,
  'watcher-at': WatcherSaysSchema,
  problem: ProblemSchema,
};

function recorded(name: string): unknown {
  return JSON.parse(readFileSync(join(RECORDED, `${name}.json`), 'utf8'));
}

/** The same with a field that nobody knows in every object; counters are a map, whose names are values. */
function withMore(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withMore);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).map(([name, field]) => [name, name === 'counters' ? field : withMore(field)]);
  return { ...Object.fromEntries(fields), fieldOfTomorrow: { type: 'new', list: [1] } };
}

test.each(Object.entries(SCHEMAS))('%s of 0.1.0 is read whole', (name, schema) => {
  expect(v.parse(schema, recorded(name))).toEqual(recorded(name));
});

test.each(Object.entries(SCHEMAS))(
  '%s of a newer version, with more in every object, says the same',
  (name, schema) => {
    expect(v.parse(schema, withMore(recorded(name)))).toEqual(recorded(name));
  },
);

test('every message that was recorded is read here', () => {
  const names = readdirSync(RECORDED).map((file) => file.replace('.json', ''));
  expect(names.sort()).toEqual(Object.keys(SCHEMAS).sort());
});

test('a message of a type that came later is known for one, and passed over', () => {
  expect(isOfUnknownType({ type: 'weather', warm: true })).toBe(true);
  expect(isOfUnknownType(recorded('push-delta'))).toBe(false);
});

test('minor versions understand each other, major ones do not', () => {
  const [major, minor] = CONTRACT_VERSION.split('.').map(Number) as [number, number];
  expect([`${major}.${minor + 1}`, `${major}.${Math.max(0, minor - 1)}`].every(speaksContract)).toBe(true);
  expect([`${major + 1}.${minor}`, '', '1', '1.0.0', 'v1.0', '1.-1'].some(speaksContract)).toBe(false);
});
