/** What may be asked of a capture: checked where a person says it, and again where the agent takes it from its socket. */
import * as v from 'valibot';
import { MacSchema, VniSchema } from '../../src/contract/primitives.ts';
import type { CaptureRequest } from '../datapath/datapath.ts';

const MAX_MACS = 16;
/** The longest frame: an IP packet of 65,535 bytes and its Ethernet header. */
export const MAX_SNAP_LENGTH = 65_549;
/** All of a frame on most networks; of a large segment that moves whole, its headers and more. */
export const DEFAULT_SNAP_LENGTH = 2048;
const SNAP_MESSAGE = `must be a whole number of bytes from 64 to ${MAX_SNAP_LENGTH}`;

export const SnapLengthSchema = v.pipe(
  v.number(SNAP_MESSAGE),
  v.integer(SNAP_MESSAGE),
  v.minValue(64, SNAP_MESSAGE),
  v.maxValue(MAX_SNAP_LENGTH, SNAP_MESSAGE),
);

export const CaptureRequestSchema = v.strictObject({
  vni: VniSchema,
  macs: v.pipe(v.array(MacSchema), v.maxLength(MAX_MACS, `must be at most ${MAX_MACS} MACs`)),
  snapLength: SnapLengthSchema,
});

/** The request as a query, for the agent's socket. */
export function formatCaptureQuery({ vni, macs, snapLength }: CaptureRequest): string {
  return new URLSearchParams([
    ['vni', String(vni)],
    ['snapLength', String(snapLength)],
    ...macs.map((mac) => ['mac', mac]),
  ]).toString();
}

/** @returns the request to be checked, as `formatCaptureQuery` wrote it. */
export function readCaptureQuery(query: URLSearchParams): unknown {
  return {
    vni: Number(query.get('vni') ?? Number.NaN),
    macs: query.getAll('mac'),
    snapLength: Number(query.get('snapLength') ?? Number.NaN),
  };
}
