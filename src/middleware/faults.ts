/** What a schema found wrong, as faults that name the field and say what would be right. */
import type { BaseIssue } from 'valibot';
import type { ErrorCode, Fault } from '../contract/errors.ts';
import { Refusal } from '../domain/refusal.ts';

/** @returns the refusal with every fault; its detail is the first of them. */
export function refusalOfIssues(
  code: Extract<ErrorCode, 'invalid_body' | 'invalid_query'>,
  issues: readonly BaseIssue<unknown>[],
): Refusal {
  const faults = issues.map(faultOf);
  const [first] = faults;
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : '';
  return new Refusal(code, `${first?.path ? `${first.path}: ` : ''}${first?.message}${more}`, { faults });
}

function faultOf(issue: BaseIssue<unknown>): Fault {
  const path = issue.path?.map((item) => String(item.key)).join('.') ?? '';
  return { path, message: messageOf(issue, path) };
}

/** Messages of the contract's own schemas say what would be right; these are the ones that valibot makes up. */
function messageOf(issue: BaseIssue<unknown>, path: string): string {
  if (issue.type !== 'strict_object' && issue.type !== 'object') return issue.message;
  if (issue.expected === 'never') return 'is not a field of this call; take it out';
  if (issue.input === undefined && path !== '') return 'is missing';
  return 'must be a JSON object';
}
