// Holds that what the sandbox makes from a JSON Schema is valid against that schema.
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
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
};

describe('examples of schemas', () => {
  test.each(Object.entries(schemas))('the example of %s is valid by its schema', (_name, schema) => {
    const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(schema);
    expect(validate(exampleOf(schema)), JSON.stringify(validate.errors)).toBe(true);
  });

  test('the example of a schema that requires itself without end still ends', () => {
    const endless = { type: 'object', properties: { next: { $ref: '#' } }, required: ['next'] };
    expect(JSON.stringify(exampleOf(endless)).length).toBeLessThan(2000);
  });

  test('the example of a schema with references that multiply stays small', () => {
    const twice = {
      type: 'object',
      properties: { a: { $ref: '#' }, b: { $ref: '#' } },
      required: ['a', 'b'],
    };
    expect(JSON.stringify(exampleOf(twice)).length).toBeLessThan(500_000);
  });

  test('the example of what is no schema is null, and of an empty one a word', () => {
    expect(exampleOf(undefined)).toBe(null);
    expect(exampleOf({})).toBe('simulated');
    expect(exampleOf({ type: 'mystery' })).toBe(null);
    expect(exampleOf({ type: [] })).toBe(null);
    expect(exampleOf({ $ref: '#/nowhere/at/all' })).toBe(null);
  });
});
