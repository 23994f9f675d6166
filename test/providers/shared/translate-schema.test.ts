// Holds what becomes of a caller's JSON Schema where a provider holds its model to it: what stays, what is closed, what is told in words, what is refused.
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/kernel/json.ts';
import { translateSchema } from '../../../src/providers/shared/translate-schema.ts';

const claude = (schema: JsonObject) => translateSchema(schema, 'claude');
const openai = (schema: JsonObject) => translateSchema(schema, 'openai-strict');
const object = (properties: JsonObject, over: JsonObject = {}) => ({ type: 'object', properties, ...over });
const closed = (properties: JsonObject, over: JsonObject = {}) => ({
  type: 'object',
  properties,
  additionalProperties: false,
  ...over,
});

describe('for Claude', () => {
  test('objects are closed at every depth, and bounds that it refuses are told in the description', () => {
    const score = { type: 'integer', minimum: 1, maximum: 10, description: 'How good.' };
    const names = { type: 'array', minItems: 2, items: object({ a: { type: 'string', pattern: '^a' } }) };
    const schema = { $schema: 'x', ...object({ score, names }, { required: ['score'] }) };
    expect(claude(schema)).toEqual({
      schema: closed(
        {
          score: { type: 'integer', description: 'How good. (minimum: 1, maximum: 10)' },
          names: {
            type: 'array',
            description: '(minItems: 2)',
            items: closed({ a: { type: 'string', description: '(pattern: "^a")' } }),
          },
        },
        { required: ['score'] },
      ),
    });
  });

  test('what it takes stays: formats, enumerations, defaults, one item at least', () => {
    const schema = closed({
      at: { type: 'string', format: 'date-time' },
      kind: { enum: ['a', null], default: 'a' },
      list: { type: 'array', items: { type: 'string' }, minItems: 1 },
    });
    expect(claude(schema)).toEqual({ schema });
  });

  test('alternatives are one of any, and a named type at the root is put in its place', () => {
    const definitions = {
      Pet: object({ is: { oneOf: [{ type: 'string' }, { $ref: '#/definitions/Id' }] } }),
      Id: { type: 'integer' },
    };
    const pet = closed({ is: { anyOf: [{ type: 'string' }, { $ref: '#/definitions/Id' }] } });
    expect(claude({ $ref: '#/definitions/Pet', definitions })).toEqual({
      schema: { ...pet, definitions: { Pet: pet, Id: { type: 'integer' } } },
    });
  });

  test('schemas that all hold are joined, since closed ones would exclude each other', () => {
    const $defs = { A: object({ a: { type: 'string' } }, { required: ['a'] }) };
    const schema = {
      $defs,
      allOf: [{ $ref: '#/$defs/A' }, object({ b: { type: 'string' } }, { required: ['b'] })],
    };
    expect(claude(schema)).toMatchObject({
      schema: closed({ a: { type: 'string' }, b: { type: 'string' } }, { required: ['a', 'b'] }),
    });
    const clash = { allOf: [object({ a: { type: 'string' } }), object({ a: { type: 'integer' } })] };
    expect(claude(clash)).toEqual({ fault: 'at # it has an "allOf" whose schemas do not join into one' });
  });

  test('a reference keeps the description that stands beside it', () => {
    const schema = object(
      { a: { $ref: '#/$defs/A', description: 'The first.' } },
      { $defs: { A: { type: 'string' } } },
    );
    expect(claude(schema)).toMatchObject({
      schema: { properties: { a: { description: 'The first.', anyOf: [{ $ref: '#/$defs/A' }] } } },
    });
  });

  test.each<[string, JsonObject]>([
    [
      'at #/properties/a it has properties whose names are not known',
      { additionalProperties: { type: 'string' } },
    ],
    ['at #/properties/a it is an object without a list of its properties', {}],
    ['at #/properties/a it has "patternProperties"', { patternProperties: { '^x': {} } }],
    ['at #/properties/a it refers to a schema that it does not hold', { $ref: 'https://example.com/a.json' }],
    ['at #/properties/a it has an "enum" of objects or lists', { properties: {}, enum: [{}] }],
  ])('a schema is refused where %s', (fault, over) => {
    expect(claude(object({ a: { type: 'object', ...over } }))).toEqual({ fault });
  });

  test('a schema that contains itself is refused', () => {
    const node = object({ next: { $ref: '#/$defs/Node' } });
    expect(claude(object({ node: { $ref: '#/$defs/Node' } }, { $defs: { Node: node } }))).toEqual({
      fault: 'at # it contains itself',
    });
    expect(claude(object({ again: { $ref: '#' } }))).toHaveProperty('fault');
  });
});

describe('for strict OpenAI', () => {
  test('every property is required, and an optional one may be null', () => {
    const schema = object(
      {
        a: { type: 'string' },
        b: { type: 'integer', minimum: 1 },
        c: { enum: ['x'] },
        d: { $ref: '#/$defs/D' },
      },
      { required: ['a'], $defs: { D: object({}) } },
    );
    expect(openai(schema)).toEqual({
      schema: closed(
        {
          a: { type: 'string' },
          b: { type: ['integer', 'null'], minimum: 1 },
          c: { anyOf: [{ type: 'string', enum: ['x'] }, { type: 'null' }] },
          d: { anyOf: [{ $ref: '#/$defs/D' }, { type: 'null' }] },
        },
        { required: ['a', 'b', 'c', 'd'], $defs: { D: closed({}, { required: [] }) } },
      ),
    });
  });

  test('a schema may contain itself, and lengths and defaults are told in the description', () => {
    const schema = object(
      { again: { $ref: '#' }, name: { type: 'string', maxLength: 5, default: 'x' } },
      { required: ['again', 'name'] },
    );
    expect(openai(schema)).toEqual({
      schema: closed(
        { again: { $ref: '#' }, name: { type: 'string', description: '(maxLength: 5, default: "x")' } },
        { required: ['again', 'name'] },
      ),
    });
  });

  test('a schema in the form that it demands goes out as it was given', () => {
    const schema = closed(
      { a: { type: 'array', items: { type: 'string' }, minItems: 2 } },
      { required: ['a'] },
    );
    expect(openai(schema)).toEqual({ schema });
  });

  test('a root that is no object, and a value of any type, are refused', () => {
    expect(openai({ anyOf: [object({})] })).toEqual({ fault: 'at # it is no plain object at its root' });
    expect(openai(object({ a: {} }))).toEqual({
      fault: 'at #/properties/a it does not say which type a value has',
    });
    expect(openai(object({ a: { type: 'array' } }))).toEqual({
      fault: 'at #/properties/a it does not say what an array holds',
    });
  });
});
