/** How values of flags and arguments are written, beside those that the contract's schemas check as they are. */
import { InvalidArgumentError } from 'commander';
import type * as v from 'valibot';
import { checked } from '../shared/checked.ts';
import { PortSchema, type PortSpec } from '../src/contract/port.ts';

/** A number by its schema. */
export function checkedNumber<const T extends v.GenericSchema>(schema: T): (text: string) => v.InferOutput<T> {
  return (text) => checked(schema)(/^\d+$/.test(text) ? Number(text) : Number.NaN);
}

/** A value by its schema, or the empty text, which takes away what is set: see `clearing`. */
export function checkedOrEmpty<const T extends v.GenericSchema>(schema: T): (text: string) => v.InferOutput<T> | '' {
  return (text) => (text === '' ? text : checked(schema)(text));
}

/** @returns the body of a PATCH, in which null takes a field away. (commander lets no flag be null.) */
export function clearing(changes: object): object {
  return Object.fromEntries(Object.entries(changes).map(([field, value]) => [field, value === '' ? null : value]));
}

export const PORT_HELP = 'host:NAME, bridge:NAME, vlan:INTERFACE.VID or none';

/** @returns the port that `host:blue0`, `bridge:br0`, `vlan:eth0.7` or `none` means. */
export function parsePort(text: string): PortSpec {
  const [type = '', rest] = splitAt(text, ':');
  switch (type) {
    case 'host':
    case 'bridge':
      return checked(PortSchema)({ type, name: rest ?? '' });
    case 'vlan': {
      const dot = (rest ?? '').lastIndexOf('.');
      const vid = (rest ?? '').slice(dot + 1);
      if (dot < 1 || !/^\d+$/.test(vid)) break;
      return checked(PortSchema)({ type, interface: rest!.slice(0, dot), vid: Number(vid) });
    }
    case 'none':
      if (rest === undefined) return { type };
  }
  throw new InvalidArgumentError(`It must be ${PORT_HELP}.`);
}

/** For a flag that can be given again: `--label region=be --label rack=4`. */
export function collectLabel(text: string, labels: Readonly<Record<string, string>> = {}): Record<string, string> {
  const [name = '', value] = splitAt(text, '=');
  if (name === '' || value === undefined) throw new InvalidArgumentError('It must be NAME=VALUE.');
  return { ...labels, [name]: value };
}

export interface NetworkPort {
  readonly network: string;
  readonly port: PortSpec;
}

/** For a flag that can be given again: `--network blue=host:blue0`. */
export function collectNetworkPort(text: string, ports: readonly NetworkPort[] = []): NetworkPort[] {
  const [network = '', port] = splitAt(text, '=');
  if (network === '' || port === undefined)
    throw new InvalidArgumentError(`It must be NETWORK=PORT; PORT is ${PORT_HELP}.`);
  return [...ports, { network, port: parsePort(port) }];
}

const SECONDS_OF = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** @returns seconds: `90s`, `30m`, `24h`, `7d`; a plain number is seconds. */
export function parseDuration(text: string): number {
  const match = /^(\d{1,9})([smhd]?)$/.exec(text);
  if (match === null) throw new InvalidArgumentError('It must be a time such as 90s, 30m, 24h or 7d.');
  return Number(match[1]) * SECONDS_OF[(match[2] || 's') as keyof typeof SECONDS_OF];
}

/** @returns what stands before and after the first `mark`; the latter undefined where there is none. */
function splitAt(text: string, mark: string): [string, string | undefined] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + mark.length)];
}
