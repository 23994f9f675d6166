import { expect, test } from 'vitest';
import {
  FAULT_MEANINGS,
  isFinal,
  isMoreTelling,
  mayPass,
  ruledOutBy,
} from '../../../src/domain/routing/fault-meanings.ts';
import {
  ProviderError,
  type ProviderErrorCode,
  type ProviderErrorDetails,
  USUALLY_TRANSIENT,
} from '../../../src/kernel/errors.ts';

const fault = (code: ProviderErrorCode, details: ProviderErrorDetails = {}) =>
  new ProviderError(code, 'It failed', details);

/** For a fault that says it passes, and for one that does not: whether the same instance is asked again, and whether the run ends. */
test.each([
  // code, passes if it says so, final, rules out, ailing, telling, usually transient
  ['PROVIDER_AUTHENTICATION', true, false, 'CONFIG', false, 1, false],
  ['PROVIDER_RATE_LIMITED', true, false, 'CONFIG', false, 1, true],
  ['PROVIDER_TIMEOUT', false, false, undefined, true, 1, true],
  ['PROVIDER_INVALID_REQUEST', true, true, undefined, false, 1, false],
  ['PROVIDER_CONTENT_FILTERED', true, true, undefined, false, 2, false],
  ['PROVIDER_UNAVAILABLE', true, false, undefined, true, 1, true],
  ['PROVIDER_PROTOCOL', true, false, undefined, true, 1, false],
  ['CONTEXT_LENGTH_EXCEEDED', true, false, 'SMALLER_CONTEXT', false, 1, false],
  ['MODEL_UNAVAILABLE', true, false, 'MODEL', false, 0, false],
  ['CAPABILITY_MISSING', true, false, 'MODEL', false, 0, false],
  ['CANCELLED', true, true, undefined, false, 1, false],
] as const)(
  'what %s means for a run is decided in every column',
  (code, passes, final, rulesOut, ailing, telling, usually) => {
    expect(mayPass(fault(code, { transient: true }))).toBe(passes);
    expect(mayPass(fault(code))).toBe(code === 'PROVIDER_PROTOCOL');
    expect(isFinal(fault(code))).toBe(final);
    expect(isFinal(fault(code, { transient: true }))).toBe(false);
    expect(ruledOutBy(fault(code))).toBe(rulesOut);
    expect(FAULT_MEANINGS[code]).toMatchObject({ ailing, telling });
    expect(USUALLY_TRANSIENT[code]).toBe(usually);
  },
);

test('every code that an adapter may raise has a row in both tables', () => {
  expect(Object.keys(FAULT_MEANINGS).sort()).toEqual(Object.keys(USUALLY_TRANSIENT).sort());
  expect(Object.keys(FAULT_MEANINGS)).toHaveLength(11);
});

test('a provider that stayed silent is not asked again, one that gave up waiting for the request is', () => {
  expect(mayPass(fault('PROVIDER_TIMEOUT', { status: 504, transient: true }))).toBe(false);
  expect(mayPass(fault('PROVIDER_TIMEOUT', { status: 408 }))).toBe(true);
});

test('a fault that passes rules nobody out: a rate limit of the moment is no quota that is used up', () => {
  expect(ruledOutBy(fault('PROVIDER_RATE_LIMITED', { transient: true }))).toBeUndefined();
  expect(ruledOutBy(fault('PROVIDER_RATE_LIMITED', { providerCode: 'insufficient_quota' }))).toBe('CONFIG');
});

test('the first fault of a run is told, unless it came from the configuration only, or a filter refused the content later', () => {
  const down = fault('PROVIDER_UNAVAILABLE');
  expect(isMoreTelling(down, undefined)).toBe(true);
  expect(isMoreTelling(fault('PROVIDER_TIMEOUT'), down)).toBe(false);
  expect(isMoreTelling(down, fault('MODEL_UNAVAILABLE'))).toBe(true);
  expect(isMoreTelling(fault('CAPABILITY_MISSING'), down)).toBe(false);
  expect(isMoreTelling(fault('PROVIDER_CONTENT_FILTERED'), down)).toBe(true);
});
