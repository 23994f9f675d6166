// Owns checking that a value fits a JSON Schema: the sandbox says nothing that it has not checked.
import { canonicalJson, isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import { PatternNotSimple, parsePattern } from './pattern-reader.ts';
import { countStep, own, resolveReference, SchemaNotMet, type SchemaWalk } from './schema-merge.ts';
import { matchesPattern } from './text-pattern.ts';

const MAX_DEPTH = 200;
/** Keywords that neither the making nor the checking of a value follows. */
const NOT_FOLLOWED = ['dependentSchemas', 'dependencies', '$dynamicRef', '$recursiveRef'];

/** The look of the commonest formats: enough to tell texts that the sandbox makes, or that a schema names, from one another. */
const FORMATS: Readonly<Record<string, RegExp>> = {
  date: /^\d{4}-\d\d-\d\d$/,
  'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/,
  time: /^\d\d:\d\d:\d\d/,
  email: /^[^@\s]+@[^@\s]+$/,
  uri: /^[a-z][a-z\d+.-]*:\S+$/i,
  uuid: /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i,
  ipv4: /^\d{1,3}(\.\d{1,3}){3}$/,
};

type Rule = (schema: JsonObject, value: JsonValue, fits: Fits) => string | undefined;
type Fits = (schema: JsonValue, value: JsonValue) => boolean;

/** The first keyword that the value does not fit, if any. Raises `SchemaNotMet` where the schema asks what the sandbox does not follow. */
export function unmetKeyword(
  schema: JsonValue | undefined,
  value: JsonValue,
  walk: SchemaWalk,
  depth = 0,
): string | undefined {
  countStep(walk);
  if (typeof schema === 'boolean') return schema ? undefined : 'false';
  if (!isJsonObject(schema)) throw new SchemaNotMet('this is no schema');
  if (depth > MAX_DEPTH) throw new SchemaNotMet('its references have no end');
  const odd = NOT_FOLLOWED.find((keyword) => schema[keyword] !== undefined);
  if (odd) throw new SchemaNotMet(`it has ${odd}, which the sandbox does not follow`);
  const fits: Fits = (part, entry) => unmetKeyword(part, entry, walk, depth + 1) === undefined;
  if (schema.$ref !== undefined && !fits(resolveReference(schema.$ref, walk.root), value)) return '$ref';
  for (const rule of [ruleOfAny, ruleOfChoices, ruleOfValue]) {
    const unmet = rule(schema, value, fits);
    if (unmet) return unmet;
  }
  return undefined;
}

export function hasType(value: JsonValue, type: JsonValue): boolean {
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return isJsonObject(value);
  return type === 'null' ? value === null : typeof value === type;
}

/** Whether the pattern is found in the text; what cannot be read raises `SchemaNotMet`. */
export function fitsPattern(pattern: JsonValue, text: string): boolean {
  return ofPattern(pattern, () => matchesPattern(parsePattern(String(pattern)), text));
}

/** What `work` gives; a pattern that is not simple is told as `SchemaNotMet`. */
export function ofPattern<T>(pattern: JsonValue, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof PatternNotSimple)) throw error;
    throw new SchemaNotMet(`the sandbox does not follow the pattern ${pattern}: ${error.message}`, {
      cause: error,
    });
  }
}

const ruleOfAny: Rule = (schema, value) => {
  const { type, enum: values, const: constant } = schema;
  if (type !== undefined) {
    const types: readonly JsonValue[] = Array.isArray(type) ? type : [type];
    if (!types.some((one) => hasType(value, one))) return 'type';
  }
  const equals = (other: JsonValue) => canonicalJson(other) === canonicalJson(value);
  if (constant !== undefined && !equals(constant)) return 'const';
  return Array.isArray(values) && !values.some(equals) ? 'enum' : undefined;
};

const ruleOfChoices: Rule = (schema, value, fits) => {
  const { allOf, anyOf, oneOf, not, if: condition } = schema;
  const fitting = (parts: readonly JsonValue[]) => parts.filter((part) => fits(part, value)).length;
  if (Array.isArray(allOf) && fitting(allOf) < allOf.length) return 'allOf';
  if (Array.isArray(anyOf) && fitting(anyOf) === 0) return 'anyOf';
  if (Array.isArray(oneOf) && fitting(oneOf) !== 1) return 'oneOf';
  if (not !== undefined && fits(not, value)) return 'not';
  if (condition === undefined) return undefined;
  const branch = fits(condition, value) ? 'then' : 'else';
  return schema[branch] !== undefined && !fits(schema[branch], value) ? branch : undefined;
};

const ruleOfValue: Rule = (schema, value, fits) => {
  if (typeof value === 'number') return unmetByNumber(schema, value);
  if (typeof value === 'string') return unmetByText(schema, value);
  if (Array.isArray(value)) return unmetByArray(schema, value, fits);
  return isJsonObject(value) ? unmetByObject(schema, value, fits) : undefined;
};

export function unmetByNumber(schema: JsonObject, value: number): string | undefined {
  if (value < boundOf(schema.minimum, value)) return 'minimum';
  if (value > boundOf(schema.maximum, value)) return 'maximum';
  if (value <= boundOf(schema.exclusiveMinimum, Number.NEGATIVE_INFINITY)) return 'exclusiveMinimum';
  if (value >= boundOf(schema.exclusiveMaximum, Number.POSITIVE_INFINITY)) return 'exclusiveMaximum';
  const { multipleOf } = schema;
  return typeof multipleOf === 'number' && !Number.isInteger(value / multipleOf) ? 'multipleOf' : undefined;
}

export function unmetByText(schema: JsonObject, value: string): string | undefined {
  const { length } = [...value];
  if (length < boundOf(schema.minLength, 0)) return 'minLength';
  if (length > boundOf(schema.maxLength, Number.POSITIVE_INFINITY)) return 'maxLength';
  if (FORMATS[String(schema.format)]?.test(value) === false) return 'format';
  return schema.pattern !== undefined && !fitsPattern(schema.pattern, value) ? 'pattern' : undefined;
}

/** What the schema says of the first items, each by its place, and of the others; the older drafts say it in other words. */
export function itemsOf({ prefixItems, items, additionalItems }: JsonObject): {
  readonly prefix: readonly JsonValue[];
  readonly items: JsonValue | undefined;
} {
  if (Array.isArray(items)) return { prefix: items, items: additionalItems };
  return { prefix: Array.isArray(prefixItems) ? prefixItems : [], items };
}

function unmetByArray(schema: JsonObject, value: readonly JsonValue[], fits: Fits): string | undefined {
  const { contains } = schema;
  if (value.length < boundOf(schema.minItems, 0)) return 'minItems';
  if (value.length > boundOf(schema.maxItems, Number.POSITIVE_INFINITY)) return 'maxItems';
  if (schema.uniqueItems === true && new Set(value.map(canonicalJson)).size < value.length)
    return 'uniqueItems';
  const { prefix, items } = itemsOf(schema);
  if (prefix.some((part, place) => place < value.length && !fits(part, value[place] as JsonValue)))
    return 'prefixItems';
  if (items !== undefined && value.slice(prefix.length).some((entry) => !fits(items, entry))) return 'items';
  if (contains === undefined) return undefined;
  const count = value.filter((entry) => fits(contains, entry)).length;
  const most = boundOf(schema.maxContains, Number.POSITIVE_INFINITY);
  return count < boundOf(schema.minContains, 1) || count > most ? 'contains' : undefined;
}

function unmetByObject(schema: JsonObject, value: JsonObject, fits: Fits): string | undefined {
  const { required, propertyNames } = schema;
  const names = Object.keys(value);
  if (names.length < boundOf(schema.minProperties, 0)) return 'minProperties';
  if (names.length > boundOf(schema.maxProperties, Number.POSITIVE_INFINITY)) return 'maxProperties';
  const has = (name: JsonValue) => names.includes(String(name));
  if (Array.isArray(required) && !required.every(has)) return 'required';
  for (const [name, needed] of entriesOf(schema.dependentRequired)) {
    if (has(name) && Array.isArray(needed) && !needed.every(has)) return 'dependentRequired';
  }
  for (const name of names) {
    if (propertyNames !== undefined && !fits(propertyNames, name)) return 'propertyNames';
    if (!partsOf(schema, name).every((part) => fits(part, value[name] as JsonValue)))
      return `properties/${name}`;
  }
  return undefined;
}

/** What the schema says of a property: by its name and by patterns of its name, else as of any other. */
export function partsOf(schema: JsonObject, name: string): JsonValue[] {
  const { properties, patternProperties, additionalProperties = true } = schema;
  const named = isJsonObject(properties) ? own(properties, name) : undefined;
  const byPattern = entriesOf(patternProperties).filter(([pattern]) => fitsPattern(pattern, name));
  const parts = [...(named === undefined ? [] : [named]), ...byPattern.map(([, part]) => part)];
  return parts.length > 0 ? parts : [additionalProperties];
}

export function entriesOf(value: JsonValue | undefined): [string, JsonValue][] {
  return isJsonObject(value) ? Object.entries(value) : [];
}

export function boundOf(value: JsonValue | undefined, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}
