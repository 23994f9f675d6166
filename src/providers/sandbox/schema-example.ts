// Owns making a value that a JSON Schema accepts: a small one, with `simulated` as its text, and checked before it is given.
import { ProviderError } from '../../kernel/errors.ts';
import { canonicalJson, isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import { boundOf, entriesOf, itemsOf, partsOf, unmetKeyword } from './schema-check.ts';
import { plainSchema, SchemaNotMet, type SchemaWalk } from './schema-merge.ts';
import { numberOf } from './schema-number.ts';
import { textOfSchema } from './schema-text.ts';
import { orderedWays, typesOf } from './schema-ways.ts';

/** What the caller's message offers for a property of that name; the first that fits its schema is taken. */
export type Suggest = (name: string, schema: JsonObject) => readonly JsonValue[];

/** Beyond this only required properties are made, so that a recursive schema ends. */
const GENEROUS_DEPTH = 4;
const GENEROUS_NODES = 500;
/** Tried one after the other, so that what refers to itself ends as early as it can. */
const MAX_DEPTHS = [6, 12, 48];
const MAX_CHOICES_ON_THE_WAY = 32;
/** Each value made, and each tried and thrown away, counts. */
const MAX_NODES = 3000;
const MAX_STEPS_TOLD = 8;
const MAX_ITEMS = 1000;
/** How many more than the items there are may be tried until one differs from all. */
const MAX_TRIES_TO_DIFFER = 20;

interface Scope extends SchemaWalk {
  readonly suggest: Suggest;
  readonly maxDepth: number;
  nodes: number;
  tooDeep: boolean;
}

interface Place {
  /** The name of the property, or of the property whose item this is. */
  readonly name: string;
  readonly depth: number;
  readonly choices: number;
  /** Items that must differ have different variants. */
  readonly variant: number;
}

/** Raises `PROVIDER_INVALID_REQUEST` where the sandbox makes nothing that fits: it never says what does not. */
export function exampleOf(schema: JsonValue | undefined, suggest: Suggest = () => []): JsonValue {
  const place: Place = { name: '', depth: 0, choices: 0, variant: 0 };
  let steps = 0;
  for (const maxDepth of MAX_DEPTHS) {
    const scope: Scope = { root: schema, suggest, maxDepth, nodes: 0, steps, tooDeep: false };
    try {
      const value = make(schema, scope, place);
      const unmet = unmetKeyword(schema, value, scope);
      if (unmet) throw new SchemaNotMet(`the sandbox makes no value for its ${unmet}`);
      return value;
    } catch (error) {
      if (!(error instanceof SchemaNotMet)) throw error;
      steps = scope.steps;
      if (scope.tooDeep && maxDepth !== MAX_DEPTHS.at(-1)) continue;
      throw refusal(error);
    }
  }
  throw new Error('unreachable');
}

function refusal(error: SchemaNotMet): ProviderError {
  const told = error.path.slice(0, MAX_STEPS_TOLD).join('/');
  const where = told === '' ? '' : ` at /${told}${error.path.length > MAX_STEPS_TOLD ? '/...' : ''}`;
  const message = `The sandbox cannot fit the JSON Schema${where}: ${error.message}.`;
  return new ProviderError('PROVIDER_INVALID_REQUEST', message, {
    cause: error,
    status: 400,
    phase: 'headers',
  });
}

function make(schema: JsonValue | undefined, scope: Scope, place: Place): JsonValue {
  scope.nodes += 1;
  if (scope.nodes > MAX_NODES) throw new SchemaNotMet('it asks for too many values');
  if (place.depth > scope.maxDepth || place.choices > MAX_CHOICES_ON_THE_WAY) {
    scope.tooDeep = true;
    throw new SchemaNotMet('it has no end');
  }
  const plain = plainSchema(schema, scope);
  const given = givenValues(plain, scope, place).find(
    (value) => unmetKeyword(plain, value, scope) === undefined,
  );
  if (given !== undefined) return given;
  if (plain.const !== undefined || plain.enum !== undefined) {
    throw new SchemaNotMet('none of the values that it names fits the rest of it');
  }
  const chosen = makeByChoice(plain, scope, place);
  return chosen === undefined ? makeOfTypes(plain, scope, place) : chosen;
}

/** Values that the schema names itself, and those that the caller's message offers. */
function givenValues(schema: JsonObject, { suggest }: Scope, { name, variant }: Place): JsonValue[] {
  if (schema.const !== undefined) return [schema.const];
  const suggested = variant === 0 ? suggest(name, schema) : [];
  if (Array.isArray(schema.enum)) return [...suggested, ...schema.enum.slice(variant), ...schema.enum];
  const examples: readonly JsonValue[] = Array.isArray(schema.examples) ? schema.examples : [];
  const named = schema.default === undefined ? examples : [schema.default, ...examples];
  return [...suggested, ...named.slice(variant)];
}

/** Tries the branches of `anyOf`, `oneOf` or `if`, what is not null first; `undefined` where there are none. */
function makeByChoice(plain: JsonObject, scope: Scope, place: Place): JsonValue | undefined {
  const { anyOf, oneOf, if: condition, then = true, else: otherwise = true } = plain;
  const further = { ...place, choices: place.choices + 1 };
  const tried = (rest: JsonObject, branches: readonly JsonValue[]) =>
    firstMade(branches, plain, scope, (branch) => make({ ...rest, allOf: [branch] }, scope, further));
  if (Array.isArray(anyOf)) {
    const { anyOf: _anyOf, ...rest } = plain;
    return tried(rest, orderedWays(anyOf, place.variant, isDeep(place)));
  }
  if (Array.isArray(oneOf)) {
    const { oneOf: _oneOf, ...rest } = plain;
    return tried(rest, orderedWays(oneOf, place.variant, isDeep(place)));
  }
  if (condition === undefined) return undefined;
  const { if: _if, then: _then, else: _else, ...rest } = plain;
  return tried(rest, [{ allOf: [condition, then] }, otherwise]);
}

function makeOfTypes(plain: JsonObject, scope: Scope, place: Place): JsonValue {
  const types = orderedWays(typesOf(plain), place.variant, isDeep(place));
  return firstMade(types, plain, scope, (type) => makeOfType(type, plain, scope, place));
}

/** The first value that can be made and fits; what the last of the ways lacked is raised where there is none. */
function firstMade(
  ways: readonly JsonValue[],
  plain: JsonObject,
  scope: Scope,
  making: (way: JsonValue) => JsonValue,
): JsonValue {
  let lacking = new SchemaNotMet('it allows no value');
  for (const way of ways) {
    try {
      const value = making(way);
      const unmet = unmetKeyword(plain, value, scope);
      if (!unmet) return value;
      lacking = new SchemaNotMet(`the sandbox makes no value for its ${unmet}`);
    } catch (error) {
      if (!(error instanceof SchemaNotMet)) throw error;
      lacking = error;
    }
  }
  throw lacking;
}

function makeOfType(type: JsonValue, schema: JsonObject, scope: Scope, place: Place): JsonValue {
  if (type === 'object') return makeObject(schema, scope, place);
  if (type === 'array') return makeArray(schema, scope, place);
  if (type === 'string') return textOfSchema(schema, place.variant);
  if (type === 'boolean') return place.variant % 2 === 0;
  if (type === 'null') return null;
  if (type !== 'integer' && type !== 'number')
    throw new SchemaNotMet(`there is no type ${JSON.stringify(type)}`);
  const number = numberOf(schema, type === 'integer', place.variant);
  if (number === undefined) throw new SchemaNotMet('the sandbox finds no number within its bounds');
  return number;
}

function makeObject(schema: JsonObject, scope: Scope, place: Place): JsonObject {
  const value = new Map<string, JsonValue>();
  const needed = new Set(Array.isArray(schema.required) ? schema.required.map(String) : []);
  const wanted =
    isGenerous(scope, place) && isJsonObject(schema.properties) ? Object.keys(schema.properties) : [];
  const add = (name: string) => {
    const parts = partsOf(schema, name);
    const part = parts.length === 1 ? parts[0] : { allOf: parts };
    value.set(name, makeInside(name, name, part, scope, place));
  };
  // A set gives also what is added while it is read.
  for (const name of needed) {
    add(name);
    for (const other of neededWith(schema, name)) needed.add(other);
  }
  const most = boundOf(schema.maxProperties, Number.POSITIVE_INFINITY);
  for (const name of wanted) {
    const fits = value.size < most && neededWith(schema, name).every((other) => value.has(other));
    if (!value.has(name) && fits) ifMet(() => add(name));
  }
  for (const name of furtherNames(schema, Math.min(boundOf(schema.minProperties, 0), MAX_ITEMS))) {
    if (value.size < boundOf(schema.minProperties, 0) && !value.has(name)) ifMet(() => add(name));
  }
  return Object.fromEntries(value);
}

function neededWith({ dependentRequired }: JsonObject, name: string): string[] {
  const found = entriesOf(dependentRequired).find(([other]) => other === name)?.[1];
  return Array.isArray(found) ? found.map(String) : [];
}

/** Names for as many properties as an object must have at least: its own, those of its patterns, and invented ones. */
function* furtherNames(
  { properties, patternProperties, propertyNames }: JsonObject,
  count: number,
): Generator<string> {
  if (count === 0) return;
  yield* entriesOf(properties).map(([name]) => name);
  for (let place = 0; place < count + MAX_TRIES_TO_DIFFER; place += 1) {
    for (const [pattern] of entriesOf(patternProperties))
      yield textOfSchema({ pattern, minLength: place }, 0);
    yield textOfSchema(isJsonObject(propertyNames) ? propertyNames : {}, place);
  }
}

function makeArray(schema: JsonObject, scope: Scope, place: Place): JsonValue[] {
  const { prefix, items = true } = itemsOf(schema);
  const containing = schema.contains === undefined ? 0 : boundOf(schema.minContains, 1);
  const least = Math.max(boundOf(schema.minItems, 0), containing);
  if (least > MAX_ITEMS) throw new SchemaNotMet(`it wants more than ${MAX_ITEMS} items`);
  const wanted = isGenerous(scope, place) ? Math.max(least, prefix.length, 1) : least;
  const length = Math.min(wanted, boundOf(schema.maxItems, Number.POSITIVE_INFINITY));
  const value: JsonValue[] = [];
  const add = () => {
    const part = prefix[value.length] ?? items;
    const lacksContained = value.length >= prefix.length && value.length < prefix.length + containing;
    const asked = lacksContained && schema.contains !== undefined ? { allOf: [part, schema.contains] } : part;
    value.push(makeItem(asked, value, schema.uniqueItems === true, scope, place));
  };
  while (value.length < length) {
    if (value.length < least) add();
    else if (!ifMet(add)) break;
  }
  return value;
}

function makeItem(
  schema: JsonValue,
  before: readonly JsonValue[],
  unique: boolean,
  scope: Scope,
  place: Place,
): JsonValue {
  const makeVariant = (variant: number) =>
    makeInside(before.length, place.name, schema, scope, { ...place, variant });
  if (!unique) return makeVariant(place.variant);
  const known = new Set(before.map(canonicalJson));
  for (let more = 0; more <= MAX_TRIES_TO_DIFFER; more += 1) {
    const item = makeVariant(before.length + more);
    if (!known.has(canonicalJson(item))) return item;
  }
  throw new SchemaNotMet('the sandbox finds too few items that differ');
}

/** A property or an item; an error says where it was. */
function makeInside(
  step: string | number,
  name: string,
  schema: JsonValue | undefined,
  scope: Scope,
  place: Place,
): JsonValue {
  try {
    return make(schema, scope, { ...place, name, depth: place.depth + 1, choices: 0 });
  } catch (error) {
    if (error instanceof SchemaNotMet) error.path.unshift(step);
    throw error;
  }
}

function isDeep({ depth }: Place): boolean {
  return depth >= GENEROUS_DEPTH / 2;
}

function isGenerous({ nodes }: Scope, { depth }: Place): boolean {
  return depth < GENEROUS_DEPTH && nodes < GENEROUS_NODES;
}

/** Whether what nobody requires could be done. */
function ifMet(work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (error instanceof SchemaNotMet) return false;
    throw error;
  }
}
