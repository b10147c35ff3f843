import { oneLine } from '../shared/failure.ts';
import type { Problem } from '../src/contract/errors.ts';

/** The gateway said no. `message` is one line in its own words; each field that it found wrong is named. */
export class Refused extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    const faults = problem.errors?.map((fault) =>
      fault.path === '' ? fault.message : `${fault.path}: ${fault.message}`,
    );
    const said = faults === undefined || faults.length === 0 ? problem.detail : faults.join('; ');
    super(`the gateway refuses (${problem.code}): ${oneLine(said)}`);
    this.name = 'Refused';
    this.problem = problem;
  }
}
