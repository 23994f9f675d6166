import { expect, test } from 'vitest';
import { decodeContinuation, encodeContinuation } from '../../../src/domain/completions/continuation.ts';
import type { JsonValue } from '../../../src/kernel/json.ts';

const written = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const maker = { canonicalId: 'p/m', protocol: 'gemini' };

test.each<[string | null, JsonValue]>([
  ['i', { signature: 'é😀', list: [1, null] }],
  [null, []],
  [null, null],
  [null, false],
  [null, ''],
])('a continuation made by the instance %s with the state %j is read back as it was', (instanceId, data) => {
  const continuation = { ...maker, instanceId, data };
  expect(decodeContinuation(encodeContinuation(continuation))).toEqual(continuation);
});

test('a continuation is text that fits into an address', () => {
  expect(encodeContinuation({ ...maker, instanceId: null, data: '?>~ÿÿÿ' })).toMatch(/^[A-Za-z0-9_-]+$/);
});

test('a continuation without an instance is that of a config without one', () => {
  expect(decodeContinuation(written({ ...maker, data: 1 }))?.instanceId).toBeNull();
});

test('fields that a later version adds are left out', () => {
  expect(decodeContinuation(written({ ...maker, data: 1, more: 2 }))).toEqual({
    ...maker,
    instanceId: null,
    data: 1,
  });
});

test.each([
  ['an empty text', ''],
  ['text that is no base64', '%%%'],
  ['text that is no JSON', Buffer.from('{"a":').toString('base64url')],
  ['a list', written([1])],
  ['null', written(null)],
  ['no state', written(maker)],
  ['no model', written({ protocol: 'gemini', data: 1 })],
  ['a model that is no text', written({ ...maker, canonicalId: 1, data: 1 })],
  ['no protocol', written({ canonicalId: 'p/m', data: 1 })],
  ['an instance that is no text', written({ ...maker, instanceId: 5, data: 1 })],
])('%s is no continuation', (_what, text) => {
  expect(decodeContinuation(text)).toBeUndefined();
});
