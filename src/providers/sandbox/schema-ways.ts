// Owns the order in which the branches and types that a JSON Schema leaves open are tried.
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';

/** A schema with one of these may lead back to itself. */
const ENDLESS = ['$ref', 'allOf', 'anyOf', 'oneOf', 'properties', 'items'];
const TYPE_OF_KEYWORD = [
  ['object', ['properties', 'required', 'additionalProperties', 'patternProperties', 'minProperties']],
  ['array', ['items', 'prefixItems', 'contains', 'minItems', 'uniqueItems']],
  ['number', ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf']],
] as const;

/** What is not null first; but deep inside what ends soon, so that what refers to itself stays small. */
export function orderedWays(ways: readonly JsonValue[], variant: number, deep: boolean): JsonValue[] {
  const isNull = (way: JsonValue) => way === 'null' || (isJsonObject(way) && way.type === 'null');
  const leads = (way: JsonValue) =>
    isJsonObject(way) && ENDLESS.some((keyword) => way[keyword] !== undefined);
  const rank = (way: JsonValue) => (isNull(way) ? 1 : deep && leads(way) ? 2 : 0);
  const all = ways.toSorted((one, other) => rank(one) - rank(other));
  const first = all.length === 0 ? 0 : variant % all.length;
  return [...all.slice(first), ...all.slice(0, first)];
}

export function typesOf(schema: JsonObject): readonly JsonValue[] {
  if (schema.type !== undefined) return Array.isArray(schema.type) ? schema.type : [schema.type];
  const found = TYPE_OF_KEYWORD.find(([, keywords]) =>
    keywords.some((keyword) => schema[keyword] !== undefined),
  );
  return [found?.[0] ?? 'string'];
}
