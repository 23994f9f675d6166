// Owns the translation of a caller's JSON Schema into what a provider takes that holds its model to the schema.
//
// 1. What the provider takes stays. 2. Objects are closed, and where it demands so all properties are required and optional ones may be null.
// 3. Bounds that it refuses (`minimum`, `maxLength` …) are told to the model in the description. 4. A shape that it cannot express is a fault,
//    and the caller of the translator leaves the schema out and says so.
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import { isRecursive, mergedSchema, schemaAt } from './merge-schemas.ts';
import { SCHEMA_DIALECTS, type SchemaDialect, type SchemaDialectName } from './schema-dialects.ts';

/** The schema in the provider's dialect, or what of it the provider cannot express, as a clause to be put after a colon. */
export type TranslatedSchema = { readonly schema: JsonObject } | { readonly fault: string };

/** Say nothing about a value. */
const ANNOTATIONS = new Set(['$schema', '$id', '$anchor', '$comment', 'deprecated', 'readOnly', 'writeOnly']);
/** Translated each in its own way. */
const SHAPES = new Set([
  '$ref',
  '$defs',
  'definitions',
  'type',
  'title',
  'description',
  'enum',
  'const',
  'properties',
  'required',
  'additionalProperties',
  'items',
  'anyOf',
  'oneOf',
  'allOf',
  'discriminator',
  'nullable',
]);
/** Shapes that no words in a description make up for. */
const FOREIGN_SHAPES = [
  'not',
  'if',
  'then',
  'else',
  'prefixItems',
  'patternProperties',
  'dependentSchemas',
  'dependentRequired',
  'unevaluatedProperties',
  'unevaluatedItems',
];

class SchemaFault extends Error {}

export function translateSchema(schema: JsonObject, dialect: SchemaDialectName): TranslatedSchema {
  try {
    return { schema: new SchemaTranslator(schema, SCHEMA_DIALECTS[dialect]).translated() };
  } catch (fault) {
    if (fault instanceof SchemaFault) return { fault: fault.message };
    throw fault;
  }
}

class SchemaTranslator {
  readonly #root: JsonObject;
  readonly #dialect: SchemaDialect;

  constructor(root: JsonObject, dialect: SchemaDialect) {
    this.#root = root;
    this.#dialect = dialect;
  }

  translated(): JsonObject {
    if (!this.#dialect.recursive && isRecursive(this.#root)) refuse('#', 'contains itself');
    const { $ref, ...own } = this.#root;
    // Generators write a named type as a reference at the root; the providers want an object there.
    const named = typeof $ref === 'string' && $ref !== '#' ? schemaAt(this.#root, $ref) : undefined;
    const schema = this.#schema(named ? { ...named, ...own } : this.#root, '#');
    if (this.#dialect.typed && schema.type !== 'object') refuse('#', 'is no plain object at its root');
    return schema;
  }

  #schema(value: JsonValue | undefined, place: string): JsonObject {
    if (value === false) return refuse(place, 'allows no value');
    const given = this.#flattened(isJsonObject(value) ? value : {}, place);
    for (const name of FOREIGN_SHAPES) if (given[name] !== undefined) refuse(place, `has "${name}"`);
    const fields: Record<string, JsonValue> = {};
    for (const name of ['$ref', 'type', 'title', 'const'] as const) {
      if (given[name] !== undefined) fields[name] = given[name];
    }
    if (Array.isArray(given.enum)) fields.enum = plainValues(given.enum, place);
    for (const name of ['$defs', 'definitions', 'properties'] as const) {
      if (isJsonObject(given[name])) fields[name] = this.#schemas(given[name], `${place}/${name}`);
    }
    if (isObjectSchema(given)) this.#close(fields, given, place);
    if (Array.isArray(given.items)) refuse(place, 'lists the entries of an array one by one');
    if (given.items !== undefined) fields.items = this.#schema(given.items, `${place}/items`);
    const choices = given.anyOf ?? given.oneOf;
    if (Array.isArray(choices)) {
      fields.anyOf = choices.map((choice, index) => this.#schema(choice, `${place}/anyOf/${index}`));
    }
    if (this.#dialect.typed) nameType(fields, place);
    const described = this.#described(fields, given);
    return given.nullable === true ? nullable(described) : described;
  }

  #schemas(schemas: JsonObject, place: string): JsonObject {
    return Object.fromEntries(
      Object.entries(schemas).map(([name, schema]) => [name, this.#schema(schema, `${place}/${name}`)]),
    );
  }

  /** Without `allOf`, which closed objects would make impossible to meet. */
  #flattened(schema: JsonObject, place: string): JsonObject {
    if (typeof schema.$ref === 'string' && !schemaAt(this.#root, schema.$ref)) {
      refuse(place, 'refers to a schema that it does not hold');
    }
    if (schema.anyOf !== undefined && schema.oneOf !== undefined) refuse(place, 'has "anyOf" beside "oneOf"');
    const { allOf, ...own } = schema;
    if (!Array.isArray(allOf)) return schema;
    const [only] = allOf;
    const merged =
      allOf.length === 1 && isJsonObject(only)
        ? mergedSchema(this.#root, [{ ...only, ...own }])
        : mergedSchema(this.#root, Object.keys(own).length > 0 ? [own, ...allOf] : allOf);
    return merged ?? refuse(place, 'has an "allOf" whose schemas do not join into one');
  }

  #close(fields: Record<string, JsonValue>, given: JsonObject, place: string): void {
    if (isJsonObject(given.additionalProperties) && Object.keys(given.additionalProperties).length > 0) {
      refuse(place, 'has properties whose names are not known');
    }
    if (given.properties === undefined && given.additionalProperties !== false) {
      refuse(place, 'is an object without a list of its properties');
    }
    const properties = (fields.properties ?? {}) as JsonObject;
    const names = Object.keys(properties);
    const required = Array.isArray(given.required) ? given.required : [];
    fields.additionalProperties = false;
    if (!this.#dialect.requiresAll) {
      if (required.length > 0) fields.required = required;
      return;
    }
    fields.required = names;
    fields.properties = Object.fromEntries(
      names.map((name) => {
        const schema = properties[name] as JsonObject;
        return [name, required.includes(name) ? schema : nullable(schema)];
      }),
    );
  }

  /** With every bound that the provider refuses in the description, which the model reads. */
  #described(fields: Record<string, JsonValue>, given: JsonObject): JsonObject {
    const told: string[] = [];
    for (const [name, value] of Object.entries(given)) {
      if (value === undefined || ANNOTATIONS.has(name) || SHAPES.has(name)) continue;
      if (this.#takes(name, value)) fields[name] = value;
      else told.push(`${name}: ${JSON.stringify(value)}`);
    }
    const own = typeof given.description === 'string' ? given.description : '';
    const description = [own, ...(told.length > 0 ? [`(${told.join(', ')})`] : [])].filter(Boolean).join(' ');
    if (description !== '') fields.description = description;
    const { $ref, ...beside } = fields;
    if ($ref === undefined || Object.keys(beside).length === 0) return fields;
    // Nothing may stand beside a reference.
    return { ...beside, anyOf: [{ $ref }] };
  }

  #takes(name: string, value: JsonValue): boolean {
    if (name === 'format') return this.#dialect.formats.has(String(value));
    if (name === 'minItems') return typeof value === 'number' && value <= this.#dialect.greatestMinItems;
    return this.#dialect.bounds.has(name);
  }
}

function refuse(place: string, clause: string): never {
  throw new SchemaFault(`at ${place} it ${clause}`);
}

/** Gives the type where it follows from the rest. */
function nameType(fields: Record<string, JsonValue>, place: string): void {
  if (fields.$ref !== undefined || fields.anyOf !== undefined) return;
  const values = Array.isArray(fields.enum) ? fields.enum : 'const' in fields ? [fields.const] : [];
  const types = [...new Set(values.map((value) => (value === null ? 'null' : typeof value)))];
  const [first] = types;
  if (fields.type === undefined) {
    if (fields.properties !== undefined) fields.type = 'object';
    else if (fields.items !== undefined) fields.type = 'array';
    else if (first === undefined) refuse(place, 'does not say which type a value has');
    else fields.type = types.length === 1 ? first : types;
  }
  const holdsArray = fields.type === 'array' || (Array.isArray(fields.type) && fields.type.includes('array'));
  if (holdsArray && fields.items === undefined) refuse(place, 'does not say what an array holds');
}

function isObjectSchema({ type, properties }: JsonObject): boolean {
  return type === 'object' || (Array.isArray(type) && type.includes('object')) || properties !== undefined;
}

function plainValues(values: readonly JsonValue[], place: string): readonly JsonValue[] {
  if (values.some((value) => typeof value === 'object' && value !== null)) {
    refuse(place, 'has an "enum" of objects or lists');
  }
  return values;
}

function nullable(schema: JsonObject): JsonObject {
  const { type, anyOf, enum: values } = schema;
  const takesNull = type === 'null' || (Array.isArray(type) && type.includes('null'));
  if (takesNull && values === undefined) return schema;
  if (Array.isArray(anyOf)) {
    return anyOf.some((choice) => isJsonObject(choice) && choice.type === 'null')
      ? schema
      : { ...schema, anyOf: [...anyOf, { type: 'null' }] };
  }
  if (typeof type === 'string' && values === undefined && !('const' in schema)) {
    return { ...schema, type: [type, 'null'] };
  }
  return { anyOf: [schema, { type: 'null' }] };
}
