/** What a schema found wrong, as lines for people: each names the field and says what would be right. */
import type * as v from 'valibot';

/** @returns `networks.0.vni: must be …`, one line per fault. */
export function describeFaults(issues: readonly v.BaseIssue<unknown>[]): string[] {
  return issues.map((issue) => {
    const path = issue.path?.map((item) => String(item.key)).join('.') ?? '';
    return path === '' ? messageOf(issue) : `${path}: ${messageOf(issue)}`;
  });
}

function messageOf(issue: v.BaseIssue<unknown>): string {
  // In valibot both a field too many and one too few are the object's issue, with words that name neither plainly.
  if (issue.type === 'strict_object' && issue.expected === 'never') return 'is not a field that is known here';
  if (issue.received === 'undefined' && (issue.type === 'strict_object' || issue.type === 'object'))
    return 'is missing';
  return issue.message;
}
