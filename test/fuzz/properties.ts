/** All that the fuzzer tries. */
import { CONTROL } from './control.ts';
import { PARSERS } from './parsers.ts';
import type { Property } from './property.ts';
import { TUNNEL } from './tunnel.ts';

export const PROPERTIES: readonly Property[] = [...PARSERS, ...TUNNEL, ...CONTROL];
