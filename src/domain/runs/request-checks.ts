// Owns the checks that requests of every kind are made of; each raises `BAD_USER_INPUT` that names the field and what would be right.
import { GatewayError } from '../../kernel/errors.ts';
import { isJsonObject } from '../../kernel/json.ts';
import { faultOfJson } from '../../kernel/storable-json.ts';
import { isStorableText } from '../../kernel/text.ts';

/** Bound on one JSON value of a request (a tool's schema, the arguments of a call, the metadata), in UTF-16 units of its text. */
export const MAX_JSON_LENGTH = 1_000_000;

export function refuse(path: string, message: string): never {
  throw new GatewayError('BAD_USER_INPUT', `${path}: ${message}`, { path });
}

export function checkNumber(
  path: string,
  value: number | undefined,
  low: number,
  high: number,
  kind?: 'integer',
): void {
  if (value === undefined) return;
  if (!Number.isFinite(value) || value < low || value > high)
    refuse(path, `must lie between ${low} and ${high}`);
  if (kind === 'integer' && !Number.isSafeInteger(value)) refuse(path, 'must be a whole number');
}

/** `maxLength` in UTF-16 units. */
export function checkText(path: string, text: string, maxLength: number): void {
  if (text.length > maxLength) refuse(path, `must not be longer than ${maxLength} characters`);
  if (!isStorableText(text)) refuse(path, 'holds U+0000 or half a surrogate pair; remove it');
}

export function checkJson(path: string, value: unknown): void {
  if (!isJsonObject(value)) refuse(path, 'must be a JSON object');
  const fault = faultOfJson(value, MAX_JSON_LENGTH);
  if (fault) refuse(path, fault);
}
