// Owns the restrictions on settings schemas that workspaces write: each must be quick to check, since the schemas of all workspaces run on one thread.
import type { InputCheck } from '../../kernel/input-check.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';

const PLAIN_KEYWORDS = new Set([
  '$schema',
  'type',
  'required',
  'enum',
  'const',
  'default',
  'title',
  'description',
  'examples',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
  'format',
]);
const MAX_DEPTH = 5;
const MAX_LENGTH = 20_000;
const MAX_PATTERN_LENGTH = 200;
/** Steps that a pattern may take on the longest settings. */
const MAX_PATTERN_COST = 10_000_000;
const LONGEST_SETTINGS = 100_000;
/** One character or character class, and how often it may occur. Groups, choices and references are excluded, because they make a pattern slow. */
const PIECE =
  /(?:\[(?:[^\\[\]]|\\.)+\]|\\[dDwWsS]|\\[^A-Za-z0-9]|[^\\()[\]{}|*+?^$])([+*?]|\{\d{1,4}(?:,\d{0,4})?\})?/y;

/** Names each keyword that a workspace's schema may not use. */
export function checkTenantSchema(check: InputCheck, path: string, schema: JsonObject): void {
  if (JSON.stringify(schema).length > MAX_LENGTH) {
    check.add(path, `must not exceed ${MAX_LENGTH} characters of JSON`);
    return;
  }
  boundSchema(schema, 1, path, (place, words) => check.add(place, words));
}

/** The schema without the keywords that a workspace's schema may not use: for rows of earlier versions, and for copies of the installation's rows. */
export function tenantSchema(schema: JsonObject): JsonObject {
  return boundSchema(schema, 1, '', () => {});
}

type Tell = (place: string, words: string) => void;

function boundSchema(schema: JsonObject, depth: number, path: string, tell: Tell): JsonObject {
  if (depth > MAX_DEPTH) {
    tell(path, `must not be nested deeper than ${MAX_DEPTH} schemas`);
    return {};
  }
  const kept: Record<string, JsonValue> = {};
  const inner = (value: JsonValue, place: string) =>
    isJsonObject(value) ? boundSchema(value, depth + 1, place, tell) : value;
  for (const [keyword, value] of Object.entries(schema)) {
    const place = `${path}.${keyword.slice(0, 64)}`;
    if (PLAIN_KEYWORDS.has(keyword)) kept[keyword] = value;
    else if (keyword === 'properties' && isJsonObject(value)) {
      const named = Object.entries(value).map(([name, one]) => [
        name,
        inner(one, `${place}.${name.slice(0, 64)}`),
      ]);
      kept.properties = Object.fromEntries(named);
    } else if (keyword === 'items' || keyword === 'additionalProperties') kept[keyword] = inner(value, place);
    else if (keyword === 'pattern' && typeof value === 'string' && isQuickPattern(value))
      kept.pattern = value;
    else if (keyword === 'pattern') {
      tell(
        place,
        'must begin with "^" and be a row of characters and classes such as ^[a-z0-9-]{1,40}$; groups, choices, and more than one "+" or "*" are not taken, since they can be slow',
      );
    } else
      tell(place, `is not taken in a schema of a workspace; use type, properties, required, enum and bounds`);
  }
  return kept;
}

/** True if the pattern is quick on every text: most texts match in one way only, and otherwise there are few ways to try. */
function isQuickPattern(pattern: string): boolean {
  if (pattern.length > MAX_PATTERN_LENGTH || !pattern.startsWith('^')) return false;
  const end = pattern.length - (pattern.endsWith('$') && !pattern.endsWith('\\$') ? 1 : 0);
  let cost = 1;
  for (PIECE.lastIndex = 1; PIECE.lastIndex < end; ) {
    const piece = PIECE.exec(pattern);
    if (!piece) return false;
    cost *= waysOf(piece[1]);
  }
  return cost <= MAX_PATTERN_COST;
}

function waysOf(repeat: string | undefined): number {
  if (repeat === undefined) return 1;
  if (repeat === '?') return 2;
  const bounds = /^\{(\d+)(,?)(\d*)\}$/.exec(repeat);
  if (!bounds) return LONGEST_SETTINGS;
  const [, least = '', comma = '', most = ''] = bounds;
  if (comma === '') return 1;
  return most === '' ? LONGEST_SETTINGS : Number(most) - Number(least) + 1;
}
