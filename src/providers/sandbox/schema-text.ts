// Owns making a text that a JSON Schema accepts: of its format, of its pattern, else the word `simulated` at the length asked for.
import type { JsonObject } from '../../kernel/json.ts';
import { parsePattern } from './pattern-reader.ts';
import { ofPattern, unmetByText } from './schema-check.ts';
import { SchemaNotMet } from './schema-merge.ts';
import { textOfPattern } from './text-pattern.ts';

export const WORD = 'simulated';
const MAX_LENGTH = 100_000;
const MAX_VARIANTS_OF_PATTERN = 16;

const dateOf = (variant: number) => new Date(Date.UTC(2000, 0, 1 + variant)).toISOString();
const uriOf = (variant: number, length: number) =>
  `https://example.com/${variant || ''}`.padEnd(Math.min(length, MAX_LENGTH), 'a');
const mailOf = (variant: number, length: number) =>
  `${`${WORD}${variant || ''}`.padEnd(Math.min(length - '@example.com'.length, 64), 'a')}@example.com`;
const hostOf = (variant: number) => `${variant ? `s${variant}.` : ''}example.com`;

const TEXT_OF_FORMAT: Readonly<Record<string, (variant: number, length: number) => string>> = {
  date: (variant) => dateOf(variant).slice(0, 10),
  'date-time': (variant) => dateOf(variant).replace('.000', ''),
  time: (variant) => `00:00:${String(variant % 60).padStart(2, '0')}Z`,
  duration: (variant) => `PT${variant}S`,
  email: mailOf,
  'idn-email': mailOf,
  hostname: hostOf,
  'idn-hostname': hostOf,
  ipv4: (variant) => `192.0.2.${(variant % 250) + 1}`,
  ipv6: (variant) => `2001:db8::${((variant % 65_000) + 1).toString(16)}`,
  uri: uriOf,
  url: uriOf,
  iri: uriOf,
  'uri-reference': uriOf,
  'iri-reference': uriOf,
  'uri-template': uriOf,
  uuid: (variant) => `00000000-0000-4000-8000-${variant.toString(16).padStart(12, '0')}`,
  'json-pointer': (variant) => `/${WORD}${variant || ''}`,
  'relative-json-pointer': (variant) => `${variant}/${WORD}`,
};

/** Another text for another variant, and other than a text asked for; raises `SchemaNotMet` where it makes none. */
export function textOfSchema(schema: JsonObject, variant: number): string {
  const least = typeof schema.minLength === 'number' ? schema.minLength : 0;
  const most = typeof schema.maxLength === 'number' ? schema.maxLength : Number.POSITIVE_INFINITY;
  if (least > MAX_LENGTH) throw new SchemaNotMet(`it wants a text longer than ${MAX_LENGTH} characters`);
  const format = TEXT_OF_FORMAT[String(schema.format)];
  const texts = format ? [format(variant, least)] : [wordOf(least, most, variant)];
  if (!format && schema.pattern !== undefined) texts.push(...textsOfPattern(schema, least, variant));
  const found = texts.find((text) => unmetByText(schema, text) === undefined);
  if (found !== undefined) return found;
  const asked = ['format', 'minLength', 'maxLength', 'pattern'].filter(
    (keyword) => schema[keyword] !== undefined,
  );
  throw new SchemaNotMet(`the sandbox makes no text for its ${asked.join(', ')}`);
}

function wordOf(least: number, most: number, variant: number): string {
  const number = variant === 0 ? '' : variant.toString(36);
  const word = WORD.slice(0, Math.max(0, most - number.length));
  return `${word.padEnd(least - number.length, '.')}${number}`;
}

function* textsOfPattern(schema: JsonObject, least: number, variant: number): Generator<string> {
  const pattern = ofPattern(schema.pattern ?? '', () => parsePattern(String(schema.pattern)));
  for (let place = variant; place < variant + MAX_VARIANTS_OF_PATTERN; place += 1) {
    const text = textOfPattern(pattern, least, place);
    if (text === undefined) return;
    yield text;
    const { length } = [...text];
    if (length >= least) continue;
    yield text.padEnd(text.length + least - length, 'x');
    yield text.padStart(text.length + least - length, 'x');
  }
}
