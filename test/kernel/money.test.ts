import { expect, test } from 'vitest';
import { formatUsd, parseUsd, priceOfTokens } from '../../src/kernel/money.ts';

test.each([
  [0n, '0'],
  [1n, '0.000000001'],
  [1_250_000n, '0.00125'],
  [1_000_000_000n, '1'],
  [12_300_000_000n, '12.3'],
  [-1n, '-0.000000001'],
  [-1_500_000_000n, '-1.5'],
  // More than a double can hold exactly.
  [9_007_199_254_740_993_000_000_001n, '9007199254740993.000000001'],
])('%i nano-dollars are written as %s dollars, exactly and without trailing zeros', (amount, text) => {
  expect(formatUsd(amount)).toBe(text);
});

test.each([
  ['0', 0n],
  ['1', 1_000_000_000n],
  ['007', 7_000_000_000n],
  ['0.1', 100_000_000n],
  ['0.000000001', 1n],
  ['-0.5', -500_000_000n],
  ['999999999999.999999999', 999_999_999_999_999_999_999n],
])('the text %s is read as an amount without loss', (text, amount) => {
  expect(parseUsd(text)).toBe(amount);
});

test.each([
  '',
  ' 1',
  '1 ',
  '+1',
  '.5',
  '1.',
  '1e3',
  '1,000',
  '0x1',
  '--1',
  '1.0000000001',
  '1234567890123',
  '١',
])('the text "%s" is no amount', (text) => {
  expect(parseUsd(text)).toBeUndefined();
});

test('an amount that was written is read back as it was', () => {
  for (const amount of [0n, 1n, -1n, 10n, 999_999_999n, 1_000_000_001n, -123_456_789_012_345n]) {
    expect(parseUsd(formatUsd(amount))).toBe(amount);
  }
});

test.each([
  [0, 3_000_000_000n, 0n],
  [1_000_000, 3_000_000_000n, 3_000_000_000n],
  [1, 3_000_000_000n, 3_000n],
  [1, 499_999n, 0n],
  [1, 500_000n, 1n],
  [3, 500_000n, 2n],
  [1, 1_499_999n, 1n],
])(
  '%i tokens at %i nano-dollars a million cost %i: half a nano-dollar is rounded up',
  (tokens, rate, cost) => {
    expect(priceOfTokens(tokens, rate)).toBe(cost);
  },
);
