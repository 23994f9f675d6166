// Holds how tools become GigaChat's functions, and which of them cannot.
import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/kernel/json.ts';
import type { ProviderRequest } from '../../../src/providers/contract/completions.ts';
import { bodyOf, pathsOf, unsupportedOf } from './gigachat-calls.ts';

/** A schema of a few lines that has a million places once its references are written out. */
function doubling(levels: number): JsonObject {
  const level = (index: number) => ({
    properties: { a: { $ref: `#/$defs/d${index + 1}` }, b: { $ref: `#/$defs/d${index + 1}` } },
  });
  const entries = Array.from({ length: levels }, (_unused, index) => [`d${index}`, level(index)] as const);
  return {
    $ref: '#/$defs/d0',
    $defs: { ...Object.fromEntries(entries), [`d${levels}`]: { type: 'string' } },
  };
}

describe('functions', () => {
  const look = { name: 'look', description: 'Looks.', parameters: { type: 'object' } };
  const other = { name: '2-fa!', parameters: {} };

  test('GigaChat functions have no wrapper, names that the service takes, and properties in every object', async () => {
    expect(await bodyOf({ tools: [look, other] })).toMatchObject({
      functions: [
        { name: 'look', description: 'Looks.', parameters: { type: 'object', properties: {} } },
        { name: 'fn_2-fa_', parameters: { type: 'object', properties: {} } },
      ],
      function_call: 'auto',
    });
  });

  test('GigaChat functions are chosen as far as the service can be told', async () => {
    const choiceOf = async (toolChoice: ProviderRequest['toolChoice'], tools = [look, other]) =>
      (await bodyOf({ tools, ...(toolChoice ? { toolChoice } : {}) })).function_call;
    expect(await choiceOf({ type: 'none' })).toBe('none');
    expect(await choiceOf({ type: 'auto' })).toBe('auto');
    expect(await choiceOf({ type: 'tool', name: '2-fa!' })).toEqual({ name: 'fn_2-fa_' });
    expect(await choiceOf({ type: 'tool', name: 'gone' })).toBe('auto');
    expect(await choiceOf({ type: 'required' }, [look])).toEqual({ name: 'look' });
    expect(await choiceOf({ type: 'required' })).toBe('auto');
    expect(await choiceOf({ type: 'required' }, [])).toBeUndefined();
    expect(await pathsOf({ tools: [look], toolChoice: { type: 'required' } })).toEqual([]);
    expect(await pathsOf({ tools: [look, other], toolChoice: { type: 'required' } })).toEqual(['toolChoice']);
  });

  test('GigaChat functions get schemas without references, combinations and lists of types', async () => {
    const parameters: JsonObject = {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      $defs: {
        'a/b': { type: 'object', properties: { deep: { $ref: '#/$defs/plain' } } },
        plain: { type: ['string', 'null'], format: 'email', maxLength: 5 },
        named: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] },
      },
      properties: {
        one: { $ref: '#/$defs/a~1b', description: 'kept' },
        maybe: { anyOf: [{ type: 'integer' }, { type: 'null' }], title: 'Maybe' },
        only: { oneOf: [{ const: 'x' }] },
        both: {
          allOf: [
            { $ref: '#/$defs/named' },
            { properties: { age: { type: 'integer' } }, required: ['age', 'name'] },
          ],
        },
        day: { type: 'string', format: 'date' },
        list: { type: 'array', items: { type: 'object', additionalProperties: { type: 'string' } } },
        any: true,
      },
      required: ['one', 'maybe', 'day'],
      additionalProperties: false,
    };
    const body = await bodyOf({ tools: [{ name: 'f', parameters }] });
    expect(body.functions).toEqual([
      {
        name: 'f',
        parameters: {
          type: 'object',
          properties: {
            one: {
              type: 'object',
              properties: { deep: { type: 'string', maxLength: 5 } },
              description: 'kept',
            },
            maybe: { title: 'Maybe', type: 'integer' },
            only: { enum: ['x'] },
            both: {
              type: 'object',
              properties: { name: { type: 'string' }, age: { type: 'integer' } },
              required: ['name', 'age'],
            },
            day: { type: 'string', format: 'date' },
            list: { type: 'array', items: { type: 'object', properties: {} } },
            any: {},
          },
          required: ['one', 'day'],
          additionalProperties: false,
        },
      },
    ]);
  });

  test.each([
    [{ properties: { a: { anyOf: [{ type: 'string' }, { type: 'integer' }] } } }, 'parameters.a has `anyOf`'],
    [{ properties: { a: { oneOf: [true] } } }, 'parameters.a has `oneOf`'],
    [{ properties: { a: { type: ['string', 'integer'] } } }, 'parameters.a has several types'],
    [{ properties: { a: { type: ['null'] } } }, 'parameters.a has several types'],
    [{ properties: { a: { type: 'array', prefixItems: [{}] } } }, 'parameters.a has `prefixItems`'],
    [
      { properties: { a: { items: { $ref: 'https://example.com/s' } } } },
      'parameters.a[] refers to https://example.com/s',
    ],
    [{ properties: { a: { $ref: '#/gone' } } }, 'parameters.a refers to #/gone'],
    [{ properties: { child: { $ref: '#' } } }, 'refers to itself'],
    [{ $defs: { a: { $ref: '#/$defs/a' } }, allOf: [{ $ref: '#/$defs/a' }] }, 'refers to itself'],
  ])(
    'GigaChat functions whose schema cannot be said are refused and left out: %j',
    async (parameters, words) => {
      const tools = [{ name: 'f', parameters, strict: true }, look];
      const unsupported = await unsupportedOf({ tools });
      expect(unsupported.map(({ path }) => path)).toEqual(['tools[0].strict', 'tools[0].parameters']);
      expect(unsupported[1]?.message).toContain(words);
      expect((await bodyOf({ tools })).functions).toHaveLength(1);
    },
  );
});

test('a GigaChat function whose references multiply is refused at once', async () => {
  const [unsupported] = await unsupportedOf({ tools: [{ name: 'f', parameters: doubling(20) }] });
  expect(unsupported).toMatchObject({
    path: 'tools[0].parameters',
    message: expect.stringContaining('too large'),
  });
});
