// Owns the values that a message offers for a tool's arguments: what it quotes, its numbers, its names, its addresses.
import type { JsonObject, JsonValue } from '../../kernel/json.ts';
import type { Suggest } from './schema-example.ts';

const QUOTED =
  /"([^"\n]{1,200})"|“([^”\n]{1,200})”|`([^`\n]{1,200})`|(?<![\p{L}\p{N}])'([^'\n]{1,200})'(?![\p{L}\p{N}])/gu;
const NUMBER = /(?<![\p{L}\p{N}_.])-?\d{1,15}(?:\.\d{1,10})?(?![\p{L}\p{N}_])/gu;
const MAIL = /[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}/gu;
const ADDRESS = /https?:\/\/[^\s"'<>)]{1,500}/gu;
const DATE = /(?<!\d)\d{4}-\d\d-\d\d(?!\d)/gu;
const CAPITALISED =
  /(?<![.!?:]\s{0,3}|^\s{0,3}|[\p{L}\p{N}])\p{Lu}[\p{L}\p{N}'’-]{0,40}(?: \p{Lu}[\p{L}\p{N}'’-]{0,40}){0,3}/gu;
/** Properties that stand for what was asked, in its own words. */
const WHOLE = new Set(['query', 'question', 'text', 'prompt', 'message', 'input', 'content', 'search', 'q']);
const MAX_WHOLE = 200;

/**
 * For one call. Each quoted text and each number is offered once, in the message's order. A text without a format is the next quoted one, else the last
 * capitalised words that begin no sentence; where the property's name asks for all of the text, all of it. A choice is the one that the message names.
 */
export function valuesIn(text: string): Suggest {
  const quoted = [...text.matchAll(QUOTED)].map(
    (found) => found.slice(1).find((part) => part !== undefined) ?? '',
  );
  const numbers = [...text.matchAll(NUMBER)].map(([found]) => Number(found));
  return (name, schema) => {
    if (Array.isArray(schema.enum)) return schema.enum.filter((choice) => names(text, choice));
    if (isOf(schema, 'number') || isOf(schema, 'integer'))
      return numbers.length > 0 ? numbers.splice(0, 1) : [];
    if (!isOf(schema, 'string')) return [];
    if (schema.format !== undefined) return textsOfFormat(schema.format, text);
    if (quoted.length > 0) return quoted.splice(0, 1);
    if (WHOLE.has(name.toLowerCase())) return [text.trim().slice(0, MAX_WHOLE)];
    const capitalised = text.match(CAPITALISED)?.at(-1);
    return capitalised === undefined ? [] : [capitalised];
  };
}

function isOf({ type }: JsonObject, wanted: string): boolean {
  return type === wanted || (Array.isArray(type) && type.includes(wanted));
}

function names(text: string, choice: JsonValue): boolean {
  if (typeof choice !== 'string' || choice === '') return false;
  return ` ${text.toLowerCase().replace(/[^\p{L}\p{N}_-]+/gu, ' ')} `.includes(` ${choice.toLowerCase()} `);
}

function textsOfFormat(format: JsonValue, text: string): string[] {
  const known = { email: MAIL, uri: ADDRESS, url: ADDRESS, date: DATE }[String(format)];
  return known ? (text.match(known) ?? []).map((found) => found.replace(/[.,;:!?]+$/u, '')) : [];
}
