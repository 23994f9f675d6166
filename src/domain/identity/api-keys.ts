// Owns the form of API keys: how one is made, which part of it is stored, and how it is looked up.
import { hash, randomBytes } from 'node:crypto';

const PREFIX_LENGTH = 11;

/** `mg_` and 32 random bytes as text; the caller sees it once. */
export function makeApiKey(): string {
  return `mg_${randomBytes(32).toString('base64url')}`;
}

export function hashApiKey(key: string): string {
  return hash('sha256', key, 'hex');
}

/** The beginning of a key, which may be shown so that people can tell keys apart. */
export function prefixOfApiKey(key: string): string {
  return key.slice(0, PREFIX_LENGTH);
}
