// Owns the form of API keys: how one is made, what of it is stored, and how it is looked up.
import { hash, randomBytes } from 'node:crypto';

const PREFIX_LENGTH = 11;

/** `mg_` and 32 random bytes; shown once. */
export function makeApiKey(): string {
  return `mg_${randomBytes(32).toString('base64url')}`;
}

export function hashApiKey(key: string): string {
  return hash('sha256', key, 'hex');
}

/** What may be shown of a key, to tell one from another. */
export function prefixOfApiKey(key: string): string {
  return key.slice(0, PREFIX_LENGTH);
}
