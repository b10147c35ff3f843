import { expect, test } from 'vitest';
import { isInStep } from '../../src/domain/convergence.ts';

const at = (revision: number, digest = 'd') => ({ revision, digest });

test('a site that has said nothing is not in step', () => {
  expect(isInStep({ revision: 5, digest: 'd', applied: null }, 0)).toBe(false);
});

test('a site that is up to date is in step where its table is the registry’s', () => {
  expect(isInStep({ revision: 5, digest: 'd', applied: at(5) }, 5)).toBe(true);
  expect(isInStep({ revision: 5, digest: 'd', applied: at(5, 'x') }, 5)).toBe(false);
  expect(isInStep({ revision: 5, digest: 'd', applied: at(5, 'x') }, 3)).toBe(false);
});

test('a site that lags is in step with what it has, and with nothing newer', () => {
  expect(isInStep({ revision: 9, digest: 'd', applied: at(5, 'old') }, 5)).toBe(true);
  expect(isInStep({ revision: 9, digest: 'd', applied: at(5, 'old') }, 6)).toBe(false);
});

test('a revision in which this network did not change asks for no more than what did', () => {
  expect(isInStep({ revision: 5, digest: 'd', applied: at(5) }, 8)).toBe(true);
  expect(isInStep({ revision: 5, digest: 'd', applied: at(4) }, 8)).toBe(false);
});
