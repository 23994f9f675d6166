import { expect, test } from 'vitest';
import {
  fromStoredResult,
  NO_RESULT,
  sizeOfResult,
  toStoredResult,
} from '../../../src/domain/completions/completion-result.ts';

const result = {
  text: 'one',
  reasoning: 'hm',
  toolCalls: [
    { callId: 'c', name: 'f', argumentsText: '{"a":1}' },
    { callId: 'd', name: 'g', argumentsText: '{}' },
  ],
  continuation: 'abcd',
};

test('a result comes back from storage as it was', () => {
  for (const one of [result, NO_RESULT]) expect(fromStoredResult(toStoredResult(one))).toEqual(one);
});

test('a row whose content was not read, or was removed, gives an empty result', () => {
  expect(fromStoredResult({})).toEqual(NO_RESULT);
});

test('the size of a result is that of all its texts', () => {
  expect(sizeOfResult(result)).toBe(3 + 2 + 7 + 2 + 4);
  expect(sizeOfResult(NO_RESULT)).toBe(0);
});
