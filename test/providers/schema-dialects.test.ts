// Holds which form of a caller's schema each protocol sends, where its provider holds a model to the schema and where it does not.
import { expect, test } from 'vitest';
import type { JsonObject } from '../../src/kernel/json.ts';
import type { ProviderRequest } from '../../src/providers/contract/completions.ts';
import { openAdapters } from '../conformance/adapters.ts';
import { collectParts, providerRequest, providerTarget, startProvider } from '../support/provider-calls.ts';

const SCHEMA: JsonObject = {
  type: 'object',
  properties: { score: { type: 'integer', minimum: 1, maximum: 10 } },
  required: ['score'],
};
const FREE: JsonObject = { type: 'object', properties: { tags: { type: 'object' } } };
const CLOSED = {
  type: 'object',
  properties: { score: { type: 'integer', description: '(minimum: 1, maximum: 10)' } },
  required: ['score'],
  additionalProperties: false,
};
const STRICT = { ...SCHEMA, additionalProperties: false };

/** How the format and the strict tool of a request lie in the body. */
interface Form {
  readonly key: string;
  readonly quirks?: JsonObject;
  formatOf(body: any): any;
  toolOf(body: any): any;
  readonly expected: JsonObject;
}

const FORMS: Readonly<Record<string, Form>> = {
  'anthropic-messages': {
    key: 'claude-haiku-4-5',
    formatOf: (body) => body.output_config?.format.schema,
    toolOf: (body) => body.tools[0].input_schema,
    expected: CLOSED,
  },
  'bedrock-converse': {
    key: 'anthropic.claude-haiku-4-5-20251001-v1:0',
    formatOf: (body) =>
      body.outputConfig && JSON.parse(body.outputConfig.textFormat.structure.jsonSchema.schema),
    toolOf: (body) => body.toolConfig.tools[0].toolSpec.inputSchema.json,
    expected: CLOSED,
  },
  'openai-responses': {
    key: 'gpt-5.4-mini',
    formatOf: (body) => body.text?.format.strict && body.text.format.schema,
    toolOf: (body) => body.tools[0].parameters,
    expected: STRICT,
  },
  'openai-chat': {
    key: 'gpt-4o',
    quirks: { strictSchemas: 'openai' },
    formatOf: (body) => body.response_format?.json_schema.strict && body.response_format.json_schema.schema,
    toolOf: (body) => body.tools[0].function.parameters,
    expected: STRICT,
  },
};

async function send(
  protocol: string,
  { key, quirks = {} }: Pick<Form, 'key' | 'quirks'>,
  schema: JsonObject,
  strict = true,
) {
  const adapters = openAdapters();
  await using side = await startProvider({ status: 500, body: '{}' });
  try {
    const adapter = adapters.get(protocol);
    if (!adapter) throw new Error(`There is no adapter of ${protocol}.`);
    const request: ProviderRequest = providerRequest({
      target: providerTarget({ baseUrl: side.upstream.url, quirks }),
      model: { key, reasoning: false },
      tools: [{ name: 'own', parameters: schema, strict }],
      responseFormat: { type: 'json-schema', name: 'x', schema, strict },
    });
    await collectParts(adapter, request);
    const unsupported = adapter.completions.unsupported(request);
    return { body: side.upstream.requests[0]?.json() as any, unsupported };
  } finally {
    await adapters.close();
  }
}

test.each(Object.keys(FORMS))(
  '%s sends a schema of bounds and open objects in the form that is taken there',
  async (protocol) => {
    const form = FORMS[protocol] as Form;
    const { body, unsupported } = await send(protocol, form, SCHEMA);
    expect(unsupported).toEqual([]);
    expect(form.formatOf(body)).toEqual(form.expected);
    expect(form.toolOf(body)).toEqual(form.expected);
  },
);

test.each(Object.keys(FORMS))(
  '%s does not hold its model to a schema that it cannot express, and says so',
  async (protocol) => {
    const form = FORMS[protocol] as Form;
    const { body, unsupported } = await send(protocol, form, FREE);
    expect(form.formatOf(body)).toBeFalsy();
    expect(form.toolOf(body)).toEqual(FREE);
    expect(unsupported.map(({ path }) => path).sort()).toEqual([
      expect.stringMatching(/^responseFormat/),
      'tools[0].strict',
    ]);
    expect(unsupported[0]?.message).toContain(
      'at #/properties/tags it is an object without a list of its properties',
    );
  },
);

test.each(['openai-chat', 'openai-responses'])(
  'without strict, %s sends a schema as it was given',
  async (protocol) => {
    const { body } = await send(protocol, FORMS[protocol] as Form, SCHEMA, false);
    expect(JSON.stringify(body)).toContain(JSON.stringify(SCHEMA));
  },
);

test('a server that is not known to refuse gets strict schemas as they were given', async () => {
  const { body, unsupported } = await send('openai-chat', { key: 'm' }, FREE);
  expect(unsupported).toEqual([]);
  expect(body.response_format.json_schema).toEqual({ name: 'x', schema: FREE, strict: true });
});
