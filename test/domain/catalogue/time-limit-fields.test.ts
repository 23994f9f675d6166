import { expect, test } from 'vitest';
import { checkRetryPolicy, checkTimeLimits } from '../../../src/domain/catalogue/time-limit-fields.ts';
import { refusedPaths } from '../../support/refused-paths.ts';

test.each(['connectMs', 'firstTokenMs', 'betweenTokensMs', 'totalMs'])(
  'the limit %s is a whole number of milliseconds, a day at most',
  (name) => {
    const refused = (value: number) => refusedPaths((check) => checkTimeLimits(check, { [name]: value }));
    for (const value of [1, 86_400_000]) expect(refused(value)).toEqual([]);
    for (const value of [0, -1, 0.5, 86_400_001]) expect(refused(value)).toEqual([`timeLimits.${name}`]);
  },
);

test.each([
  [undefined, true],
  [1, true],
  [10, true],
  [0, false],
  [11, false],
])('a retry policy of %s attempts may be set: %s', (maxAttempts, fits) => {
  const policy = maxAttempts === undefined ? {} : { maxAttempts };
  expect(refusedPaths((check) => checkRetryPolicy(check, policy))).toEqual(
    fits ? [] : ['retryPolicy.maxAttempts'],
  );
});
