/** Flags and arguments, checked as bodies are. */
import { InvalidArgumentError } from 'commander';
import * as v from 'valibot';

/** A flag's value by the contract's own schema, with the contract's own words where it is wrong. */
export function checked<const T extends v.GenericSchema>(schema: T): (value: unknown) => v.InferOutput<T> {
  return (value) => {
    const parsed = v.safeParse(schema, value);
    if (parsed.success) return parsed.output;
    throw new InvalidArgumentError(`It ${parsed.issues[0].message}.`);
  };
}
