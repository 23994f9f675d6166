import { describe, expect, test } from 'vitest';
import type { WorkspaceCatalogue } from '../../../src/domain/catalogue/snapshot.ts';
import { nearNames } from '../../../src/domain/routing/near-names.ts';
import { catalogueOf } from '../../support/routing-catalogue.ts';

/** Two providers that offer one model, neither with a config; and one that a config joins. */
function knownModels(): WorkspaceCatalogue {
  const catalogue = catalogueOf({
    instances: [{ slug: 'writer', tags: ['chat'] }],
    configs: { c: {}, keyless: { secret: null } },
  });
  const [model] = catalogue.models.values();
  const provider = catalogue.providers.get('p');
  const add = (canonicalId: string, over: object = {}) => {
    const providerKey = canonicalId.split('/')[0] as string;
    (catalogue.models as Map<string, object>).set(canonicalId, {
      ...model,
      canonicalId,
      providerKey,
      ...over,
    });
  };
  const addProvider = (key: string, over: object) =>
    (catalogue.providers as Map<string, object>).set(key, { ...provider, key, envVars: {}, ...over });
  addProvider('openai', { category: 'lab', envVars: { secret: ['OPENAI_API_KEY'] } });
  addProvider('azure', { category: 'cloud' });
  addProvider('router', { category: 'aggregator' });
  addProvider('local', { category: 'local', auth: { type: 'none' } });
  for (const id of ['azure/gpt-4o', 'router/openai/gpt-4o', 'openai/gpt-4o', 'openai/dall-e', 'local/llama'])
    add(id, id.endsWith('dall-e') ? { outputModalities: ['image'] } : {});
  return catalogue;
}

const catalogue = knownModels();
const ask = (asked: string, allowed?: readonly string[]) =>
  nearNames({ catalogue, asked, allowed: allowed && new Set(allowed), speaks: () => true, output: 'text' });
const names = (asked: string, allowed?: readonly string[]) => ask(asked, allowed).map(({ name }) => name);

describe('near names', () => {
  test('a name that nothing has finds the model of that key at each provider, its maker first, and says that a credential is lacking', () => {
    expect(ask('gpt-4o')).toEqual([
      {
        name: 'openai/gpt-4o',
        lack: 'It lacks a credential: create a provider config for "openai", or set OPENAI_API_KEY for the workspace "default" and start again',
      },
      { name: 'azure/gpt-4o', lack: 'It lacks a credential: create a provider config for "azure"' },
      { name: 'router/openai/gpt-4o', lack: expect.stringContaining('"router"') },
    ]);
    expect(names('GPT-4o')).toEqual(names('gpt-4o'));
    expect(ask('llama')).toEqual([
      { name: 'local/llama', lack: 'It lacks a provider config: create one for "local"' },
    ]);
  });

  test.each([
    ['writter', ['writer']],
    ['tag:chatt', ['tag:chat']],
    ['openai/gpt4o', ['openai/gpt-4o']],
    ['gpt4o', ['openai/gpt-4o', 'azure/gpt-4o', 'router/openai/gpt-4o']],
    ['gpt-9-ultra', []],
    ['dall-e', []],
    ['', []],
    ['x'.repeat(10_000), []],
  ])(
    'a name that nothing has is told slips of the pen, and nothing that is merely alike (case %#)',
    (asked, expected) => {
      expect(names(asked)).toEqual(expected);
    },
  );

  test('a name that nothing has is told only of what the caller may use', () => {
    expect(names('gpt-4o', ['azure/*'])).toEqual(['azure/gpt-4o']);
    expect(names('gpt-4o', ['writer'])).toEqual([]);
    expect(names('writter', ['azure/*'])).toEqual([]);
    expect(names('writter', ['tag:chat'])).toEqual(['writer']);
  });

  test('a name that nothing has is compared with a bounded number of models, however many are known', () => {
    const large = knownModels();
    let compared = 0;
    const keys = function* () {
      for (let index = 0; index < 20_000; index += 1) {
        compared += 1;
        yield `openai/model-number-${index}`;
      }
    };
    Object.assign(large.models, { keys });
    nearNames({
      catalogue: large,
      asked: 'model-numbre-123',
      allowed: undefined,
      speaks: () => true,
      output: 'text',
    });
    expect(compared).toBeLessThanOrEqual(5_001);
  });
});
