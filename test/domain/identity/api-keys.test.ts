import { expect, test } from 'vitest';
import { hashApiKey, makeApiKey, prefixOfApiKey } from '../../../src/domain/identity/api-keys.ts';

test('an API key begins with mg_ and holds 32 random bytes', () => {
  const keys = Array.from({ length: 100 }, makeApiKey);
  expect(new Set(keys).size).toBe(100);
  for (const key of keys) expect(key).toMatch(/^mg_[A-Za-z0-9_-]{43}$/);
});

test('the digest of an API key is SHA-256, so that keys of earlier versions are still found', () => {
  expect(hashApiKey('mg_key')).toMatch(/^[0-9a-f]{64}$/);
  expect(hashApiKey('')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
});

test('what may be shown of an API key leaves all but 8 of its random characters out', () => {
  const key = makeApiKey();
  expect(prefixOfApiKey(key)).toBe(key.slice(0, 'mg_'.length + 8));
});
