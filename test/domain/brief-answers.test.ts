import { expect, test } from 'vitest';
import { BriefAnswers } from '../../src/domain/brief-answers.ts';

test('an answer is given again for less than a second, to its tenant at its revision alone', () => {
  const answers = new BriefAnswers();
  answers.keep('a', 7, 'text', 5000);
  expect(answers.get('a', 7, 5999)).toBe('text');
  expect(answers.get('a', 7, 6000)).toBeNull();
  expect(answers.get('a', 8, 5000)).toBeNull();
  expect(answers.get('b', 7, 5000)).toBeNull();
  // The clock was set back.
  expect(answers.get('a', 7, 1000)).toBeNull();
});

test('so much is kept and no more: the oldest answers go, and one that is too much by itself takes none with it', () => {
  const answers = new BriefAnswers();
  const large = 'x'.repeat(6_000_000);
  for (const tenant of ['a', 'b', 'a', 'c']) answers.keep(tenant, 1, large, 0);
  expect(['a', 'b', 'c'].map((tenant) => answers.get(tenant, 1, 0) !== null)).toEqual([true, false, true]);
  answers.keep('d', 1, 'x'.repeat(20_000_000), 0);
  expect(['a', 'c', 'd'].map((tenant) => answers.get(tenant, 1, 0) !== null)).toEqual([true, true, false]);
  for (let i = 0; i < 10; i++) answers.keep('a', 1, large, 0);
  expect(answers.get('c', 1, 0)).not.toBeNull();
});
