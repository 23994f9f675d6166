// Owns making a value that a JSON Schema accepts: a small one, with `simulated` as its text.
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';

const WORD = 'simulated';
/** In deeper levels only required properties are made, so that a recursive schema ends. */
const GENEROUS_DEPTH = 4;
const MAX_DEPTH = 32;
/** Bound for schemas whose references multiply; values beyond it are null. */
const MAX_NODES = 10_000;

interface Scope {
  readonly root: JsonValue | undefined;
  nodes: number;
}

const TEXT_OF_FORMAT: Readonly<Record<string, string>> = {
  date: '2000-01-01',
  time: '00:00:00Z',
  'date-time': '2000-01-01T00:00:00Z',
  duration: 'PT0S',
  email: 'simulated@example.com',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uri: 'https://example.com/',
  uuid: '00000000-0000-4000-8000-000000000000',
};

/** Follows local references, combinations, enumerations, bounds and formats; `pattern` is not followed. */
export function exampleOf(schema: JsonValue | undefined): JsonValue {
  return make(schema, { root: schema, nodes: 0 }, 0);
}

function make(schema: JsonValue | undefined, scope: Scope, depth: number): JsonValue {
  scope.nodes += 1;
  if (!isJsonObject(schema) || depth > MAX_DEPTH || scope.nodes > MAX_NODES) return null;
  const { const: constant, enum: values, $ref: reference } = schema;
  if (constant !== undefined) return constant;
  if (Array.isArray(values) && values[0] !== undefined) return values[0];
  if (schema.default !== undefined) return schema.default;
  if (typeof reference === 'string') return make(resolve(reference, scope.root), scope, depth + 1);
  const choice = firstChoice(schema.anyOf) ?? firstChoice(schema.oneOf);
  if (choice !== undefined) return make(choice, scope, depth + 1);
  if (Array.isArray(schema.allOf)) return make(merged(schema, schema.allOf, scope.root), scope, depth + 1);
  return makeOfType(schema, scope, depth);
}

function makeOfType(schema: JsonObject, scope: Scope, depth: number): JsonValue {
  switch (typeOf(schema)) {
    case 'object':
      return makeObject(schema, scope, depth);
    case 'array':
      return makeArray(schema, scope, depth);
    case 'string':
      return makeText(schema);
    case 'integer':
      return makeNumber(schema, 1);
    case 'number':
      return makeNumber(schema, 0);
    case 'boolean':
      return true;
    default:
      return null;
  }
}

function typeOf(schema: JsonObject): JsonValue | undefined {
  if (Array.isArray(schema.type)) return schema.type.find((type) => type !== 'null') ?? 'null';
  if (schema.type !== undefined) return schema.type;
  if (schema.properties !== undefined) return 'object';
  return schema.items === undefined ? 'string' : 'array';
}

function makeObject(schema: JsonObject, scope: Scope, depth: number): JsonObject {
  const properties = isJsonObject(schema.properties) ? schema.properties : {};
  const required: readonly JsonValue[] = Array.isArray(schema.required) ? schema.required : [];
  const names = new Set<string>(required.filter((name) => typeof name === 'string'));
  if (depth < GENEROUS_DEPTH) for (const name of Object.keys(properties)) names.add(name);
  return Object.fromEntries([...names].map((name) => [name, make(properties[name] ?? {}, scope, depth + 1)]));
}

function makeArray(schema: JsonObject, scope: Scope, depth: number): JsonValue[] {
  const prefix: readonly JsonValue[] = Array.isArray(schema.prefixItems) ? schema.prefixItems : [];
  const least = numberOr(schema.minItems, depth < GENEROUS_DEPTH ? 1 : 0);
  const length = Math.min(Math.max(least, prefix.length), numberOr(schema.maxItems, 1000));
  return Array.from({ length }, (_unused, index) =>
    make(prefix[index] ?? schema.items ?? {}, scope, depth + 1),
  );
}

function makeText(schema: JsonObject): string {
  const text = TEXT_OF_FORMAT[String(schema.format)] ?? WORD;
  return text
    .padEnd(numberOr(schema.minLength, 0), '.')
    .slice(0, numberOr(schema.maxLength, text.length * 1000));
}

function makeNumber(schema: JsonObject, step: number): number {
  const exclusive = numberOr(schema.exclusiveMinimum, Number.NEGATIVE_INFINITY);
  const ceiling = numberOr(schema.exclusiveMaximum, Number.POSITIVE_INFINITY);
  const multiple = numberOr(schema.multipleOf, step);
  const highest = numberOr(schema.maximum, Number.POSITIVE_INFINITY);
  let value = Math.max(1, numberOr(schema.minimum, Number.NEGATIVE_INFINITY));
  if (value > highest || value >= ceiling) value = Math.min(highest, ceiling - 1);
  if (value <= exclusive)
    value = Number.isFinite(ceiling) && step === 0 ? (exclusive + ceiling) / 2 : exclusive + 1;
  return multiple > 0 ? Math.ceil(value / multiple) * multiple : value;
}

function resolve(reference: string, root: JsonValue | undefined): JsonValue | undefined {
  let value = root;
  for (const step of reference.replace(/^#\/?/, '').split('/').filter(Boolean)) {
    value = isJsonObject(value) ? value[step.replaceAll('~1', '/').replaceAll('~0', '~')] : undefined;
  }
  return value;
}

function firstChoice(choices: JsonValue | undefined): JsonValue | undefined {
  if (!Array.isArray(choices)) return undefined;
  return choices.find((choice: JsonValue) => !isJsonObject(choice) || choice.type !== 'null') ?? choices[0];
}

function merged(schema: JsonObject, parts: readonly JsonValue[], root: JsonValue | undefined): JsonObject {
  const { allOf: _parts, ...rest } = schema;
  const properties: Record<string, JsonValue> = {};
  const required: JsonValue[] = [];
  const sum: Record<string, JsonValue> = {};
  for (const entry of [...parts, rest]) {
    const part = isJsonObject(entry) && typeof entry.$ref === 'string' ? resolve(entry.$ref, root) : entry;
    if (!isJsonObject(part)) continue;
    Object.assign(sum, part);
    Object.assign(properties, part.properties);
    required.push(...(Array.isArray(part.required) ? part.required : []));
  }
  return { ...sum, properties, required };
}

function numberOr(value: JsonValue | undefined, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}
