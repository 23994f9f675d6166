// Owns which JSON from outside may be stored: not too deep for code that walks it, not too long, and without text that no database takes.
import { isStorableText } from './text.ts';

/** The deepest nesting of objects and lists that is accepted. */
const MAX_DEPTH = 64;

/**
 * The reason why the value cannot be stored, in words; `undefined` if it can. The walk keeps a list of its own instead of recursing, so that deep
 * nesting cannot overflow the call stack.
 */
export function faultOfJson(value: unknown, maxLength: number): string | undefined {
  const waiting: (readonly [value: unknown, depth: number])[] = [[value, 1]];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const [entry, depth] = next;
    if (typeof entry === 'string' && !isStorableText(entry))
      return 'holds U+0000 or half a surrogate pair; remove it';
    if (typeof entry !== 'object' || entry === null) continue;
    if (depth > MAX_DEPTH) return `must not be nested deeper than ${MAX_DEPTH} levels`;
    if (Array.isArray(entry)) {
      for (const item of entry) waiting.push([item, depth + 1]);
      continue;
    }
    for (const [name, member] of Object.entries(entry)) waiting.push([name, depth + 1], [member, depth + 1]);
  }
  if (JSON.stringify(value).length > maxLength) return `must not exceed ${maxLength} characters of JSON`;
  return undefined;
}
