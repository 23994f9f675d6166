import { expect, test } from 'vitest';
import { checkLimits } from '../../../src/domain/identity/call-limits.ts';
import { LIMIT_NAMES } from '../../../src/kernel/call-limits.ts';
import { refusedPaths as refusedBy } from '../../support/refused-paths.ts';

const refusedPaths = (limits: object | undefined) => refusedBy((check) => checkLimits(check, limits));

test.each([
  undefined,
  {},
  { requestsPerMinute: 1 },
  { tokensPerDay: 1_000_000_000 },
  { concurrentRuns: null },
])('the limits %j may be set', (limits) => {
  expect(refusedPaths(limits)).toEqual([]);
});

test.each([0, -1, 1.5, Number.NaN, 1_000_000_001])(
  'each limit is refused with its name where it is %s',
  (value) => {
    for (const name of LIMIT_NAMES) expect(refusedPaths({ [name]: value })).toEqual([`limits.${name}`]);
  },
);

test('every wrong limit is told at once', () => {
  expect(refusedPaths({ requestsPerMinute: 0, tokensPerHour: 5, concurrentRuns: -1 })).toEqual([
    'limits.requestsPerMinute',
    'limits.concurrentRuns',
  ]);
});
