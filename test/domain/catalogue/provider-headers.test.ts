import { expect, test } from 'vitest';
import { checkHeaders } from '../../../src/domain/catalogue/provider-headers.ts';
import type { JsonObject } from '../../../src/kernel/json.ts';
import { refusedPaths as refusedBy } from '../../support/refused-paths.ts';

const refusedPaths = (headers: unknown) => refusedBy((check) => checkHeaders(check, headers as JsonObject));

test.each([undefined, null, {}, { 'x-title': 'Team' }, { 'X-Odd!#$': 'é'.repeat(4_000) }, { 'x-empty': '' }])(
  'the headers %j may be added by a provider config',
  (headers) => {
    expect(refusedPaths(headers)).toEqual([]);
  },
);

test.each([
  ['a name with a space', { 'x y': '1' }, 'headers.x y'],
  ['a name that is too long', { ['x'.repeat(65)]: '1' }, `headers.${'x'.repeat(64)}`],
  [
    'a header of the connection, in any case',
    { 'Transfer-Encoding': 'chunked' },
    'headers.Transfer-Encoding',
  ],
  ['a value of two lines', { 'x-a': 'a\r\nx-b: b' }, 'headers.x-a'],
  ['a value that is too long', { 'x-a': 'a'.repeat(4_001) }, 'headers.x-a'],
  ['a value that is no text', { 'x-a': 1 }, 'headers.x-a'],
])('%s is refused with the place of the header', (_what, headers, path) => {
  expect(refusedPaths(headers)).toEqual([path]);
});
