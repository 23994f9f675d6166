// Owns fitting a tool's JSON Schema to what GigaChat accepts: no references, no combinations, one type each, `properties` in every object.
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';

/** The fitted schema, or the reason why the schema cannot be expressed. */
export type FittedSchema = { readonly schema: JsonObject } | { readonly problem: string };

const FORMATS: ReadonlySet<JsonValue> = new Set(['date', 'date-time', 'time']);
const LEFT_OUT: ReadonlySet<string> = new Set(['$schema', '$id', '$defs', 'definitions', '$comment']);
const MAX_DEPTH = 64;
/** References to references multiply; a larger schema is refused. */
const MAX_NODES = 5000;

class Unfit extends Error {}

interface Scope {
  readonly root: JsonObject;
  nodes: number;
}

export function fitSchema(schema: JsonObject): FittedSchema {
  try {
    const fitted = fit(schema, { root: schema, nodes: 0 }, 'parameters', 0);
    return { schema: { ...fitted, type: 'object', properties: fitted.properties ?? {} } };
  } catch (error) {
    if (error instanceof Unfit) return { problem: error.message };
    throw error;
  }
}

function fit(value: JsonValue, scope: Scope, place: string, depth: number): JsonObject {
  scope.nodes += 1;
  if (scope.nodes > MAX_NODES)
    throw new Unfit('it refers to itself, or is too large once its references are written out');
  if (depth > MAX_DEPTH)
    throw new Unfit(`${place} refers to itself or is nested too deeply, which GigaChat cannot express`);
  // `true` is the schema of anything.
  if (!isJsonObject(value)) return {};
  const schema = simplified(value, scope.root, place);
  if (schema !== value) return fit(schema, scope, place, depth + 1);
  const fitted: Record<string, JsonValue> = {};
  for (const [name, entry] of Object.entries(schema)) {
    const kept = fitEntry(name, entry, scope, place, depth);
    if (kept !== undefined) fitted[name] = kept;
  }
  if (fitted.type === 'object' || fitted.properties !== undefined) {
    const { required } = fitted;
    const demanded = Array.isArray(required)
      ? required.filter((name) => !mayBeNull(schema, name, scope.root))
      : undefined;
    return {
      ...fitted,
      type: 'object',
      properties: fitted.properties ?? {},
      ...(demanded ? { required: demanded } : {}),
    };
  }
  return fitted;
}

function fitEntry(
  name: string,
  entry: JsonValue,
  scope: Scope,
  place: string,
  depth: number,
): JsonValue | undefined {
  if (LEFT_OUT.has(name)) return undefined;
  switch (name) {
    case 'properties': {
      const properties = Object.entries(isJsonObject(entry) ? entry : {});
      return Object.fromEntries(
        properties.map(([key, inner]) => [key, fit(inner, scope, `${place}.${key}`, depth + 1)]),
      );
    }
    case 'items':
      return fit(entry, scope, `${place}[]`, depth + 1);
    case 'additionalProperties':
      return typeof entry === 'boolean' ? entry : undefined;
    case 'format':
      return FORMATS.has(entry) ? entry : undefined;
    case 'prefixItems':
    case 'not':
    case 'if':
    case 'patternProperties':
      throw new Unfit(`${place} has \`${name}\`, which GigaChat cannot express`);
    default:
      return entry;
  }
}

/** Makes the schema simpler by one step; gives the schema itself if it is simple already. */
function simplified(schema: JsonObject, root: JsonObject, place: string): JsonObject {
  const { $ref: reference, anyOf, oneOf, allOf, const: constant, ...rest } = schema;
  if (typeof reference === 'string') return { ...resolve(reference, root, place), ...rest };
  if (constant !== undefined) return { ...rest, enum: [constant] };
  if (anyOf !== undefined) return { ...theOne(anyOf, `${place} has \`anyOf\``), ...rest };
  if (oneOf !== undefined) return { ...theOne(oneOf, `${place} has \`oneOf\``), ...rest };
  if (Array.isArray(allOf)) return merged([...allOf, rest], root, place);
  if (Array.isArray(schema.type)) return { ...schema, type: theType(schema.type, place) };
  return schema;
}

function resolve(reference: string, root: JsonObject, place: string): JsonObject {
  let value: JsonValue | undefined = root;
  for (const step of reference.replace(/^#\/?/, '').split('/').filter(Boolean)) {
    value = isJsonObject(value) ? value[step.replaceAll('~1', '/').replaceAll('~0', '~')] : undefined;
  }
  if (!reference.startsWith('#') || !isJsonObject(value))
    throw new Unfit(`${place} refers to ${reference}, which is not there`);
  return value;
}

/** A property that may be null loses its null, so it must be possible to leave it out. */
function mayBeNull(schema: JsonObject, name: JsonValue, root: JsonObject): boolean {
  const property = isJsonObject(schema.properties) ? schema.properties[String(name)] : undefined;
  const { $ref: reference, ...own } = isJsonObject(property) ? property : {};
  const { type, anyOf, oneOf } =
    typeof reference === 'string' ? { ...resolve(reference, root, String(name)), ...own } : own;
  return [type, anyOf, oneOf].some(
    (choices) =>
      Array.isArray(choices) &&
      choices.some(
        (choice: JsonValue) => choice === 'null' || (isJsonObject(choice) && choice.type === 'null'),
      ),
  );
}

/** The only choice besides null. */
function theOne(choices: JsonValue, words: string): JsonObject {
  const others = (Array.isArray(choices) ? choices : []).filter(
    (choice: JsonValue) => !isJsonObject(choice) || choice.type !== 'null',
  );
  const [only] = others;
  if (others.length !== 1 || !isJsonObject(only)) throw new Unfit(`${words}, which GigaChat cannot express`);
  return only;
}

function theType(types: readonly JsonValue[], place: string): JsonValue {
  const [only, another] = types.filter((type) => type !== 'null');
  if (only === undefined || another !== undefined) {
    throw new Unfit(`${place} has several types, which GigaChat cannot express`);
  }
  return only;
}

function merged(parts: readonly JsonValue[], root: JsonObject, place: string): JsonObject {
  const whole: Record<string, JsonValue> = {};
  const properties: Record<string, JsonValue> = {};
  const required: JsonValue[] = [];
  for (const entry of parts) {
    const part = isJsonObject(entry) ? simplifiedFully(entry, root, place) : {};
    Object.assign(whole, part);
    Object.assign(properties, part.properties);
    if (Array.isArray(part.required)) required.push(...part.required);
  }
  return {
    ...whole,
    ...(Object.keys(properties).length > 0 ? { properties } : {}),
    ...(required.length > 0 ? { required: [...new Set(required)] } : {}),
  };
}

function simplifiedFully(schema: JsonObject, root: JsonObject, place: string): JsonObject {
  let current = schema;
  for (let step = 0; step < MAX_DEPTH; step += 1) {
    const next = simplified(current, root, place);
    if (next === current) return current;
    current = next;
  }
  throw new Unfit(`${place} refers to itself or is nested too deeply, which GigaChat cannot express`);
}
