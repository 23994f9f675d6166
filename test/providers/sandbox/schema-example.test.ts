// Holds that what the sandbox makes from a JSON Schema is valid against that schema.
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { JsonObject } from '../../../src/kernel/json.ts';
import { exampleOf } from '../../../src/providers/sandbox/schema-example.ts';

const tree = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    children: { type: 'array', items: { $ref: '#' } },
    parent: { $ref: '#' },
  },
  required: ['name', 'children'],
};

const schemas: Record<string, JsonObject> = {
  'an object with every plain type': {
    type: 'object',
    properties: {
      text: { type: 'string', minLength: 12, maxLength: 14 },
      short: { type: 'string', maxLength: 3 },
      date: { type: 'string', format: 'date-time' },
      whole: { type: 'integer', exclusiveMinimum: 4, multipleOf: 5 },
      real: { type: 'number', exclusiveMinimum: 0.5, exclusiveMaximum: 0.75 },
      negative: { type: 'number', maximum: -3 },
      yes: { type: 'boolean' },
      nothing: { type: 'null' },
      maybe: { type: ['null', 'string'] },
    },
    required: ['text', 'short', 'date', 'whole', 'real', 'negative', 'yes', 'nothing', 'maybe', 'unnamed'],
  },
  'enumerations, constants, defaults': {
    properties: { a: { enum: ['x', 'y'] }, b: { const: 7 }, c: { type: 'string', default: 'd' } },
  },
  'choices and references': {
    type: 'object',
    $defs: { 'a/b': { type: 'integer', minimum: 9 } },
    properties: {
      one: { $ref: '#/$defs/a~1b' },
      any: {
        anyOf: [{ type: 'null' }, { type: 'array', items: { type: 'string' }, minItems: 3, maxItems: 5 }],
      },
      or: { oneOf: [{ type: 'boolean' }] },
    },
  },
  'combined schemas': {
    allOf: [
      { $ref: '#/$defs/named' },
      { type: 'object', properties: { age: { type: 'integer' } }, required: ['age'] },
    ],
    $defs: { named: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] } },
  },
  'arrays with a prefix': {
    prefixItems: [{ type: 'string' }, { type: 'integer' }],
    items: { type: 'boolean' },
    minItems: 3,
  },
  'a tree that refers to itself': tree,
  'a chain whose end is a choice': {
    $ref: '#/$defs/link',
    $defs: {
      link: {
        type: 'object',
        properties: { next: { anyOf: [{ $ref: '#/$defs/link' }, { type: 'null' }] } },
        required: ['next'],
        additionalProperties: false,
      },
    },
  },
  'an expression of two kinds of nodes': {
    $defs: {
      expression: {
        oneOf: [{ $ref: '#/$defs/sum' }, { type: 'number' }],
      },
      sum: {
        type: 'object',
        properties: { left: { $ref: '#/$defs/expression' }, right: { $ref: '#/$defs/expression' } },
        required: ['left', 'right'],
      },
    },
    $ref: '#/$defs/sum',
  },
  'required levels deeper than is generous': deep(20),
  formats: {
    type: 'object',
    properties: Object.fromEntries(
      ['date', 'date-time', 'time', 'email', 'uri', 'uuid', 'ipv4', 'ipv6', 'hostname', 'duration'].map(
        (format) => [
          format,
          {
            type: 'array',
            items: { type: 'string', format },
            minItems: 3,
            uniqueItems: format !== 'hostname',
          },
        ],
      ),
    ),
    required: ['date', 'date-time', 'time', 'email', 'uri', 'uuid', 'ipv4', 'ipv6', 'hostname', 'duration'],
  },
  'a long address of a page': { type: 'string', format: 'uri', minLength: 60, maxLength: 60 },
  patterns: {
    type: 'object',
    properties: Object.fromEntries(
      [
        '^[a-z]+$',
        '^[A-Z]{3}-\\d{4}$',
        '^(?:red|green|blue)$',
        '^\\+?[1-9]\\d{1,14}$',
        '^#([0-9a-f]{3}|[0-9a-f]{6})$',
        '^\\d{4}-\\d{2}-\\d{2}$',
        '^[^@\\s]+@[^@\\s]+\\.[a-z]{2,}$',
        'needle',
        '^v\\d+(\\.\\d+)*$',
        '^(?<letters>[ab]{2}){2,3}$',
        '^\\p{Lu}\\p{Ll}*$',
        '^[\\w.\\-]+$',
        '^$',
        '^.{20,}$',
      ].map((pattern, place) => [`p${place}`, { type: 'string', pattern }]),
    ),
    additionalProperties: false,
    minProperties: 14,
  },
  'a pattern with a length': { type: 'string', pattern: '^[a-f]+[0-9]*$', minLength: 12, maxLength: 14 },
  'a pattern in the middle of a length': { type: 'string', pattern: '\\d', minLength: 30, maxLength: 30 },
  'items that differ': {
    type: 'object',
    properties: {
      ids: { type: 'array', items: { type: 'integer', minimum: 3 }, minItems: 4, uniqueItems: true },
      tags: { type: 'array', items: { enum: ['a', 'b', 'c'] }, minItems: 3, uniqueItems: true },
      names: { type: 'array', items: { type: 'string', maxLength: 4 }, minItems: 5, uniqueItems: true },
      flags: { type: 'array', items: { type: 'boolean' }, minItems: 2, uniqueItems: true },
      rows: {
        type: 'array',
        items: { type: 'object', properties: { id: { type: 'number' } }, required: ['id'] },
        minItems: 3,
        uniqueItems: true,
      },
    },
    required: ['ids', 'tags', 'names', 'flags', 'rows'],
  },
  'items that must contain one of a kind': {
    type: 'array',
    items: { type: ['integer', 'string'] },
    contains: { type: 'string', pattern: '^x' },
    minContains: 2,
    maxItems: 4,
  },
  'no items at all': { type: 'array', items: { type: 'string' }, maxItems: 0 },
  'numbers within narrow bounds': {
    type: 'array',
    prefixItems: [
      { type: 'number', multipleOf: 0.01, exclusiveMinimum: 0.06, maximum: 0.08 },
      { type: 'integer', minimum: -9, maximum: -3, multipleOf: 4 },
      { type: 'number', minimum: 1.5, maximum: 1.5 },
      { type: 'integer', exclusiveMinimum: -2, exclusiveMaximum: 0 },
      { type: 'number', maximum: 0 },
      { type: 'integer', multipleOf: 2.5 },
    ],
    items: false,
    minItems: 6,
  },
  'choices that exclude one another': {
    oneOf: [
      { type: 'object', properties: { kind: { const: 'a' } } },
      {
        type: 'object',
        properties: { kind: { const: 'b' }, size: { type: 'integer' } },
        required: ['kind', 'size'],
      },
    ],
  },
  'combined bounds': {
    allOf: [
      { type: ['number', 'string'], minimum: 3 },
      { type: 'integer', maximum: 10 },
      { minimum: 7, multipleOf: 3 },
    ],
  },
  'closed objects that are combined': {
    allOf: [
      { type: 'object', properties: { a: { type: 'string' } }, additionalProperties: false },
      { properties: { b: { type: 'string' } } },
    ],
  },
  'a condition': {
    type: 'object',
    properties: { country: { enum: ['US', 'CA'] }, code: { type: 'string' } },
    required: ['country', 'code'],
    if: { properties: { country: { const: 'US' } } },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: { properties: { code: { pattern: '^\\d{5}$' } } },
    else: { properties: { code: { pattern: '^[A-Z]\\d[A-Z]$' } } },
  },
  maps: {
    type: 'object',
    additionalProperties: { type: 'integer' },
    propertyNames: { pattern: '^[A-Z]{2}$' },
    minProperties: 3,
  },
  'properties by a pattern of their names': {
    type: 'object',
    patternProperties: { '^x-': { type: 'number' } },
    additionalProperties: false,
    minProperties: 2,
  },
  'properties that need one another': {
    type: 'object',
    properties: { card: { type: 'string' }, address: { type: 'string' }, note: { type: 'string' } },
    required: ['card'],
    dependentRequired: { card: ['address'], note: ['never'] },
  },
  'an optional property that nothing fits': {
    type: 'object',
    properties: { a: { type: 'string' }, b: { allOf: [{ type: 'string' }, { type: 'number' }] }, c: false },
  },
  'a default that does not fit': { type: 'integer', default: 'none', minimum: 2 },
  anything: true as unknown as JsonObject,
};

/** An object with a required object in it, that many times. */
function deep(levels: number): JsonObject {
  const inside: JsonObject = levels === 0 ? { type: 'string' } : deep(levels - 1);
  return { type: 'object', properties: { inside }, required: ['inside'], additionalProperties: false };
}

/** An oracle of its own for the formats, so that the sandbox is not checked by itself. */
const FORMATS: Readonly<Record<string, z.ZodType>> = {
  date: z.iso.date(),
  'date-time': z.iso.datetime(),
  time: z.iso.time().or(z.string().regex(/^\d\d:\d\d:\d\dZ$/)),
  email: z.email(),
  uri: z.url(),
  uuid: z.uuid(),
  ipv4: z.ipv4(),
  ipv6: z.ipv6(),
  hostname: z.hostname(),
  duration: z.iso.duration(),
};

function validatorOf(schema: JsonObject) {
  const ajv = new Ajv2020({ strict: false, validateFormats: true });
  for (const [name, type] of Object.entries(FORMATS)) {
    ajv.addFormat(name, (text: string) => type.safeParse(text).success);
  }
  return ajv.compile(schema);
}

/** The message of the refusal. */
function refusalOf(schema: JsonObject): string {
  try {
    return `made ${JSON.stringify(exampleOf(schema))}`;
  } catch (error) {
    expect(error).toMatchObject({ code: 'PROVIDER_INVALID_REQUEST', status: 400, phase: 'headers' });
    return (error as Error).message;
  }
}

describe('examples of schemas', () => {
  test.each(Object.entries(schemas))('the example of %s is valid by its schema', (_name, schema) => {
    const validate = validatorOf(schema);
    const made = exampleOf(schema);
    expect(validate(made), `${JSON.stringify(made)} ${JSON.stringify(validate.errors)}`).toBe(true);
    expect(exampleOf(schema)).toEqual(made);
  });

  test.each<[string, JsonObject, RegExp]>([
    ['requires itself without end', { properties: { next: { $ref: '#' } }, required: ['next'] }, /no end/],
    [
      'requires itself twice without end',
      { properties: { a: { $ref: '#' }, b: { $ref: '#' } }, required: ['a', 'b'] },
      /no end/,
    ],
    ['is only a reference to itself', { $ref: '#' }, /no end/],
    ['has a reference that leads nowhere', { $ref: '#/nowhere/at/all' }, /#\/nowhere\/at\/all leads nowhere/],
    ['has a reference to another document', { $ref: 'https://example.com/a.json' }, /leads nowhere/],
    ['has a type that there is not', { type: 'mystery' }, /no type "mystery"/],
    ['allows no type', { type: [] }, /allows no value/],
    ['contradicts itself', { type: 'string', minLength: 5, maxLength: 3 }, /minLength, maxLength/],
    ['has bounds without a number between', { type: 'integer', minimum: 3, maximum: 2 }, /no number/],
    ['has an empty choice', { enum: [] }, /none of the values/],
    [
      'has a pattern that looks ahead',
      { properties: { code: { type: 'string', pattern: '^(?=.*\\d).{8,}$' } }, required: ['code'] },
      /at \/code: the sandbox does not follow the pattern .* looks ahead/,
    ],
    [
      'has a pattern that takes too long',
      { enum: ['a'.repeat(60)], pattern: '^(a|aa)+$b' },
      /too many steps/,
    ],
    ['wants a pattern and a format that differ', { format: 'email', pattern: '^\\d+$' }, /format, pattern/],
    [
      'wants more items than there are values',
      { items: { type: 'boolean' }, minItems: 3, uniqueItems: true },
      /differ/,
    ],
    ['wants a text without end', { type: 'string', minLength: 1e9 }, /longer than/],
    ['wants items without end', { type: 'array', minItems: 1e9 }, /more than 1000 items/],
    ['wants too many values', { items: { items: {}, minItems: 1000 }, minItems: 1000 }, /too many values/],
    ['has a keyword that the sandbox does not follow', { dependentSchemas: { a: {} } }, /dependentSchemas/],
    ['excludes what the sandbox would say', { type: 'string', not: { minLength: 1 } }, /its not/],
  ])('a schema that %s is refused, and the message says why', (_name, schema, message) => {
    expect(refusalOf(schema)).toMatch(message);
  });

  test('the example of an empty schema is the word "simulated", and what is no schema is refused', () => {
    expect(exampleOf({})).toBe('simulated');
    expect(() => exampleOf(undefined)).toThrow('this is no schema');
  });

  test('an example takes what is suggested for a property, if it fits', () => {
    const schema: JsonObject = {
      properties: {
        city: { type: 'string', minLength: 3 },
        unit: { enum: ['c', 'f'] },
        days: { type: 'integer' },
      },
    };
    const suggested = exampleOf(
      schema,
      (name) => ({ city: ['x', 'Kazan'], unit: ['f'], days: ['two'] })[name] ?? [],
    );
    expect(suggested).toEqual({ city: 'Kazan', unit: 'f', days: 1 });
  });
});

/** Schemas as clients write them, and some that nobody would. */
const anySchema = fc.letrec<{ schema: JsonObject; leaf: JsonObject }>((tie) => ({
  leaf: fc.oneof(
    fc.record(
      {
        type: fc.constantFrom('integer', 'number', ['null', 'integer']),
        minimum: fc.integer({ min: -20, max: 5 }),
        maximum: fc.integer({ min: 0, max: 20 }),
        exclusiveMinimum: fc.integer({ min: -20, max: 5 }),
        multipleOf: fc.constantFrom(0.1, 0.5, 2, 3, 7),
        not: fc.constantFrom<JsonObject>({ const: 1 }, { type: 'null' }),
      },
      { requiredKeys: ['type'] },
    ),
    fc.record(
      {
        type: fc.constantFrom('string', ['string', 'null']),
        minLength: fc.nat(10),
        maxLength: fc.integer({ min: 5, max: 30 }),
        pattern: fc.constantFrom('^[a-z]*$', '\\d{3}', '^(ab|c)+$', '^\\w+ \\w+$'),
      },
      { requiredKeys: ['type'] },
    ),
    fc.record({
      type: fc.constant('string'),
      format: fc.constantFrom('date', 'date-time', 'email', 'uri', 'uuid'),
    }),
    fc.constantFrom<JsonObject>({ type: 'boolean' }, { type: 'null' }, {}),
    fc.record({ enum: fc.uniqueArray(fc.oneof(fc.integer(), fc.string()), { minLength: 1, maxLength: 4 }) }),
    fc.constantFrom<JsonObject>({ $ref: '#/$defs/shared' }, { $ref: '#' }),
  ) as fc.Arbitrary<JsonObject>,
  schema: fc.oneof(
    { depthSize: 'small' },
    tie('leaf'),
    fc.record(
      {
        type: fc.constant('object'),
        properties: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), tie('schema')),
        required: fc.uniqueArray(fc.constantFrom('a', 'b', 'c')),
        additionalProperties: fc.constantFrom<boolean | JsonObject>(false, true, { type: 'integer' }),
        minProperties: fc.nat(3),
        maxProperties: fc.integer({ min: 2, max: 5 }),
      },
      { requiredKeys: ['type', 'properties'] },
    ),
    fc.record(
      {
        type: fc.constant('array'),
        items: tie('schema'),
        minItems: fc.nat(3),
        maxItems: fc.integer({ min: 2, max: 5 }),
        uniqueItems: fc.boolean(),
      },
      { requiredKeys: ['type', 'items'] },
    ),
    fc.record({
      anyOf: fc.array(tie('schema'), { minLength: 1, maxLength: 3 }),
    }),
    fc.record({ oneOf: fc.array(tie('schema'), { minLength: 1, maxLength: 3 }) }),
    fc.record({ allOf: fc.array(tie('schema'), { minLength: 1, maxLength: 3 }) }),
  ) as fc.Arbitrary<JsonObject>,
})).schema;

test('the example of each of many generated schemas is valid, or the schema is refused', () => {
  let made = 0;
  let refused = 0;
  fc.assert(
    fc.property(anySchema, (generated) => {
      const schema = {
        ...generated,
        $defs: { shared: { type: 'object', properties: { id: { type: 'string' } } } },
      };
      let example: unknown;
      try {
        example = exampleOf(schema);
      } catch (error) {
        expect(error).toMatchObject({ code: 'PROVIDER_INVALID_REQUEST' });
        refused += 1;
        return;
      }
      made += 1;
      const validate = validatorOf(schema);
      expect(validate(example), `${JSON.stringify(example)} ${JSON.stringify(validate.errors)}`).toBe(true);
    }),
    { numRuns: 120, seed: 20261124, endOnFailure: true },
  );
  expect(made).toBeGreaterThan(refused);
});
