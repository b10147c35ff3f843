import { Failure } from '../../shared/failure.ts';
import type { DatapathChoice } from '../config.ts';

/** @throws Failure where this version has no such data path; `auto` is the best one that it has. */
export function checkDatapathChoice(choice: DatapathChoice): void {
  if (choice !== 'kernel') return;
  throw new Failure('configuration', 'this version has no kernel datapath: use userspace, or auto');
}
