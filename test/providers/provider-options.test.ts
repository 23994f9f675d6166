import { expect, test } from 'vitest';
import { isJsonObject, type JsonObject } from '../../src/kernel/json.ts';
import { withProviderOptions } from '../../src/providers/shared/provider-options.ts';
import { openAdapters } from '../conformance/adapters.ts';
import { collectParts, providerRequest, providerTarget, startProvider } from '../support/provider-calls.ts';

const RULES = { extended: ['tools', 'toolConfig.tools'] };

test('provider options are merged into objects, put beside the entries of lists that grow, and take the place of anything else', () => {
  const body = { a: { b: 1, c: { d: 2 } }, tools: [1], stop: ['x'], toolConfig: { tools: [1], choice: 'x' } };
  const options = { a: { c: { e: 3 } }, tools: [2], stop: ['y'], toolConfig: { tools: [2] }, z: true };
  expect(withProviderOptions(body, options, RULES)).toEqual({
    a: { b: 1, c: { d: 2, e: 3 } },
    tools: [1, 2],
    stop: ['y'],
    toolConfig: { tools: [1, 2], choice: 'x' },
    z: true,
  });
  expect(withProviderOptions(body, {}, RULES)).toBe(body);
});

/** Of each protocol: options with one tool, and where the tools of the body then are. */
const OPTIONS: Readonly<Record<string, { readonly options: JsonObject; toolsOf(body: any): any }>> = {
  'openai-chat': { options: { tools: [{ mark: 1 }] }, toolsOf: ({ tools }) => tools },
  'openai-responses': { options: { tools: [{ mark: 1 }] }, toolsOf: ({ tools }) => tools },
  'anthropic-messages': { options: { tools: [{ mark: 1 }] }, toolsOf: ({ tools }) => tools },
  'bedrock-converse': {
    options: { toolConfig: { tools: [{ mark: 1 }] } },
    toolsOf: ({ toolConfig }) => toolConfig.tools,
  },
  gemini: { options: { tools: [{ mark: 1 }] }, toolsOf: ({ tools }) => tools },
  cohere: { options: { tools: [{ mark: 1 }] }, toolsOf: ({ tools }) => tools },
  ollama: { options: { tools: [{ mark: 1 }] }, toolsOf: ({ tools }) => tools },
  gigachat: { options: { functions: [{ mark: 1 }] }, toolsOf: ({ functions }) => functions },
};

/** The body that an adapter sends. */
async function bodyOf(protocol: string, providerOptions: JsonObject, over: object = {}): Promise<any> {
  const adapters = openAdapters();
  await using side = await startProvider({ status: 500, body: '{}' });
  try {
    const adapter = adapters.get(protocol);
    if (!adapter) throw new Error(`There is no adapter of ${protocol}.`);
    const target = providerTarget({ baseUrl: side.upstream.url });
    const tools = [{ name: 'own', parameters: { type: 'object', properties: { a: { type: 'string' } } } }];
    await collectParts(adapter, providerRequest({ target, tools, providerOptions, ...over }));
    return side.upstream.requests[0]?.json();
  } finally {
    await adapters.close();
  }
}

test.each(Object.keys(OPTIONS))(
  'tools among the options of %s stand beside the caller’s own',
  async (protocol) => {
    const { options, toolsOf } = OPTIONS[protocol] as (typeof OPTIONS)[string];
    const tools = toolsOf(await bodyOf(protocol, options));
    expect(tools).toHaveLength(2);
    expect(JSON.stringify(tools[0])).toContain('"own"');
    expect(tools[1]).toEqual({ mark: 1 });
  },
);

test.each(['anthropic-messages', 'bedrock-converse'])(
  'an object among the options of %s leaves the schema that the caller asked for beside it',
  async (protocol) => {
    const schema = { type: 'object', properties: {}, additionalProperties: false };
    const name = protocol === 'anthropic-messages' ? 'output_config' : 'outputConfig';
    const body = await bodyOf(
      protocol,
      { [name]: { extra: { total: 7 } } },
      {
        model: { key: 'claude-opus-4-8', reasoning: true },
        tools: [],
        responseFormat: { type: 'json-schema', name: 'x', schema },
      },
    );
    expect(isJsonObject(body[name]) && Object.keys(body[name])).toHaveLength(2);
    expect(body[name]).toMatchObject({ extra: { total: 7 } });
  },
);

test.each(Object.keys(OPTIONS))(
  'the protocol %s reserves its model, its messages and its bound on tokens',
  (protocol) => {
    const adapters = openAdapters();
    const fields = Object.keys(adapters.get(protocol)?.completions.optionRules.reserved ?? {});
    expect(fields.some((name) => name === 'model')).toBe(true);
    expect(fields.some((name) => ['messages', 'input', 'contents'].includes(name))).toBe(true);
    expect(fields.some((name) => /max_?(output_?)?tokens|num_predict/i.test(name))).toBe(true);
    return adapters.close();
  },
);
