// Owns making one plain schema of a schema with references and `allOf`: what its parts ask is asked together.
import { canonicalJson, isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';

/** No value that the sandbox makes fits the schema; the message says where, and which part it could not meet. */
export class SchemaNotMet extends Error {
  /** From the whole value to the one that does not fit. */
  readonly path: (string | number)[] = [];
}

const MAX_REFERENCES = 100;
const MAX_BRANCHES = 12;
/** Beyond it nothing more is made or checked for a request, as references may multiply without end. */
const MAX_STEPS = 10_000;
const LARGER = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties', 'minContains'];
const SMALLER = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties', 'maxContains'];
const TOGETHER = ['items', 'additionalProperties', 'propertyNames', 'contains'];

/** What the making and the checking of one value share. */
export interface SchemaWalk {
  /** Where references begin. */
  readonly root: JsonValue | undefined;
  steps: number;
}

export function countStep(walk: SchemaWalk): void {
  walk.steps += 1;
  if (walk.steps > MAX_STEPS) throw new SchemaNotMet('it takes too many steps');
}

/** The schema without `$ref` and `allOf` at its top. */
export function plainSchema(schema: JsonValue | undefined, walk: SchemaWalk): JsonObject {
  return plain(schema, walk, { count: 0 });
}

/** What a local reference points at; raises `SchemaNotMet` where there is nothing. */
export function resolveReference(reference: JsonValue, root: JsonValue | undefined): JsonValue {
  const [start, ...steps] = String(reference).split('/');
  let value = start === '#' ? root : undefined;
  for (const step of steps) {
    const name = decoded(step).replaceAll('~1', '/').replaceAll('~0', '~');
    value = isJsonObject(value) || Array.isArray(value) ? own(value, name) : undefined;
  }
  if (value === undefined) throw new SchemaNotMet(`the reference ${reference} leads nowhere`);
  return value;
}

/** The entry of that name, never one that JavaScript gives every object. */
export function own(value: JsonObject | readonly JsonValue[], name: string): JsonValue | undefined {
  return Object.hasOwn(value, name) ? (value as JsonObject)[name] : undefined;
}

function decoded(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    return step;
  }
}

function plain(schema: JsonValue | undefined, walk: SchemaWalk, seen: { count: number }): JsonObject {
  countStep(walk);
  seen.count += 1;
  if (seen.count > MAX_REFERENCES) throw new SchemaNotMet('its references have no end');
  if (schema === true) return {};
  if (schema === false) throw new SchemaNotMet('it allows no value');
  if (!isJsonObject(schema)) throw new SchemaNotMet('this is no schema');
  const { $ref: reference, allOf, ...rest } = schema;
  if (reference === undefined && !Array.isArray(allOf)) return schema;
  const referred = reference === undefined ? [] : [resolveReference(reference, walk.root)];
  const parts: readonly JsonValue[] = [...referred, ...(Array.isArray(allOf) ? allOf : [])];
  return parts.map((part) => plain(part, walk, seen)).reduce(merged, rest);
}

/** One schema that asks what both ask. Where that cannot be said in one, `one` leads: the check of the value finds out. */
function merged(one: JsonObject, other: JsonObject): JsonObject {
  const sum: Record<string, JsonValue> = { ...other, ...one };
  for (const key of Object.keys(other)) {
    const [a, b] = [one[key], other[key]];
    if (a === undefined || b === undefined) continue;
    sum[key] = mergedKeyword(key, a, b);
  }
  for (const key of ['properties', 'patternProperties']) {
    if (isJsonObject(sum[key])) sum[key] = mergedProperties(key, one, other);
  }
  return sum;
}

function mergedKeyword(key: string, a: JsonValue, b: JsonValue): JsonValue {
  if (LARGER.includes(key)) return Math.max(Number(a), Number(b));
  if (SMALLER.includes(key)) return Math.min(Number(a), Number(b));
  if (TOGETHER.includes(key)) return { allOf: [a, b] };
  if (key === 'type') return commonTypes(listOf(a), listOf(b));
  if (key === 'required') return [...new Set([...listOf(a), ...listOf(b)])];
  if (key === 'enum') return common(listOf(a), listOf(b));
  if (key === 'uniqueItems') return a === true || b === true;
  if (key === 'not') return { anyOf: [a, b] };
  if (key === 'multipleOf')
    return Number(a) % Number(b) === 0 ? a : Number(b) % Number(a) === 0 ? b : Number(a) * Number(b);
  if (key === 'anyOf' || key === 'oneOf') {
    return listOf(a)
      .flatMap((left) => listOf(b).map((right) => ({ allOf: [left, right] })))
      .slice(0, MAX_BRANCHES);
  }
  return a;
}

function listOf(value: JsonValue): readonly JsonValue[] {
  return Array.isArray(value) ? value : [value];
}

function common(a: readonly JsonValue[], b: readonly JsonValue[]): JsonValue[] {
  const known = new Set(b.map(canonicalJson));
  return a.filter((value) => known.has(canonicalJson(value)));
}

function commonTypes(a: readonly JsonValue[], b: readonly JsonValue[]): JsonValue[] {
  const types = common(a, b);
  const narrowed = (one: readonly JsonValue[], other: readonly JsonValue[]) =>
    one.includes('integer') && other.includes('number') && !types.includes('integer');
  return narrowed(a, b) || narrowed(b, a) ? [...types, 'integer'] : types;
}

/** A property that only one side names must also fit what the other side says of further properties. */
function mergedProperties(key: string, one: JsonObject, other: JsonObject): JsonObject {
  const sides = [one, other].map((side) => (isJsonObject(side[key]) ? side[key] : {}));
  const names = new Set(sides.flatMap((side) => Object.keys(side)));
  const entries = [...names].map((name): [string, JsonValue] => {
    const asked = [one, other].flatMap((side, place) => {
      const named = own(sides[place] ?? {}, name);
      if (named !== undefined) return [named];
      const further = side.patternProperties === undefined ? side.additionalProperties : undefined;
      return further === undefined || key !== 'properties' ? [] : [further];
    });
    return [name, asked.length === 1 ? (asked[0] as JsonValue) : { allOf: asked }];
  });
  return Object.fromEntries(entries);
}
