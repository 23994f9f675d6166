import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { Secret } from '../../src/kernel/secret.ts';

const TEXT = 'sk-very-secret';

test.each<[string, (secret: Secret) => string]>([
  ['joined with text', (secret) => `the key is ${secret}`],
  ['written as JSON', (secret) => JSON.stringify({ secret, list: [secret] })],
  ['inspected, as a log does', (secret) => inspect({ secret }, { depth: null, showHidden: true })],
  ['part of an error', (secret) => inspect(new Error(`bad: ${secret}`, { cause: secret }))],
  ['taken apart', (secret) => JSON.stringify([Object.entries(secret), { ...secret }])],
])('a secret does not show when it is %s', (_how, show) => {
  expect(show(new Secret(TEXT))).not.toContain(TEXT);
});

test('a secret is given to whoever asks for it by name', () => {
  expect(new Secret(TEXT).reveal()).toBe(TEXT);
});
