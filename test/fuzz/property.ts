import { isDeepStrictEqual } from 'node:util';
import type fc from 'fast-check';

/** Something that must hold whatever comes. */
export interface Property {
  /** The sentence that it proves. */
  readonly name: string;
  /** How many examples `npm test` tries. */
  readonly runs: number;
  readonly property: () => fc.IRawProperty<unknown, boolean>;
}

/** @throws Error that shows both where they differ. */
export function equal(actual: unknown, expected: unknown): void {
  if (isDeepStrictEqual(actual, expected)) return;
  throw new Error(`got ${show(actual)}\nnot ${show(expected)}`);
}

function show(value: unknown): string {
  const text = JSON.stringify(value, (_, it: unknown) =>
    it instanceof Uint8Array ? Buffer.from(it).toString('hex') : it,
  );
  return text.length > 4000 ? `${text.slice(0, 4000)}… (${text.length} characters)` : text;
}
