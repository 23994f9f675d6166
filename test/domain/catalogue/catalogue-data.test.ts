import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  type CatalogueData,
  type CatalogueModel,
  type CatalogueProvider,
  loadCatalogueData,
  modelsFileSchema,
  providersFileSchema,
} from '../../../src/domain/catalogue/catalogue-data.ts';
import { isJsonObject, type JsonObject } from '../../../src/kernel/json.ts';
import { createBuiltInAdapters } from '../../../src/providers/built-in-adapters.ts';
import type { Adapter } from '../../../src/providers/contract/adapter.ts';
import { createSandboxAdapter } from '../../../src/providers/sandbox/adapter.ts';
import { listSandboxModels } from '../../../src/providers/sandbox/models.ts';
import { dependenciesOn, NO_WAY_OUT } from '../../support/provider-calls.ts';

/** By protocol, the sandbox included. */
const ADAPTERS: ReadonlyMap<string, Adapter> = new Map(
  [...createBuiltInAdapters(dependenciesOn(NO_WAY_OUT)), createSandboxAdapter()].map((adapter) => [
    adapter.protocol,
    adapter,
  ]),
);

/** What the row's protocol finds wrong with its quirks. */
const faultsOf = (protocol: string, quirks: JsonObject) =>
  ADAPTERS.get(protocol)?.faultsOfQuirks?.(quirks) ?? [`no adapter speaks "${protocol}"`];

function fileOf(name: string): { readonly text: string; readonly json: unknown } {
  const text = readFileSync(new URL(`../../../src/domain/catalogue/data/${name}`, import.meta.url), 'utf8');
  return { text, json: JSON.parse(text) };
}

function placeholdersOf({ baseUrl }: CatalogueProvider): string[] {
  return [...(baseUrl ?? '').matchAll(/\{([^{}]*)\}/g)].map(([, name]) => name ?? '');
}

function settingsOf({ settingsSchema }: CatalogueProvider): {
  names: string[];
  required: readonly unknown[];
} {
  const { properties, required = [] } = settingsSchema;
  return {
    names: isJsonObject(properties) ? Object.keys(properties) : [],
    required: Array.isArray(required) ? required : [],
  };
}

describe('built-in catalogue', () => {
  let data: CatalogueData;
  let providers: ReadonlyMap<string, CatalogueProvider>;

  beforeAll(async () => {
    data = await loadCatalogueData();
    providers = new Map(data.providers.map((provider) => [provider.key, provider]));
  });

  const idOf = ({ provider, key }: CatalogueModel) => `${provider}/${key}`;
  const protocolOf = (model: CatalogueModel) => model.protocol ?? providers.get(model.provider)?.protocol;

  it('the rows of the built-in catalogue are all of the stated form, under one version', () => {
    const checkedProviders = providersFileSchema.safeParse(fileOf('providers.json').json);
    const checkedModels = modelsFileSchema.safeParse(fileOf('models.json').json);
    expect(checkedProviders.error?.issues.slice(0, 5)).toBeUndefined();
    expect(checkedModels.error?.issues.slice(0, 5)).toBeUndefined();
    expect(checkedModels.data?.version).toBe(checkedProviders.data?.version);
  });

  it('the built-in catalogue keeps one row a line, in the order of names, so that changes read well', () => {
    const names = {
      'providers.json': data.providers.map(({ key }) => key),
      'models.json': data.models.map(({ provider, key }) => `${provider}\0${key}`),
    };
    for (const [file, inFile] of Object.entries(names)) {
      const rows = fileOf(file).text.split('\n').slice(3, -3);
      expect(rows.length, file).toBe(inFile.length);
      expect(rows.filter((row) => !/^\{.*\},?$/.test(row))).toEqual([]);
      expect(inFile).toEqual([...inFile].sort());
    }
  });

  it('the built-in catalogue knows at least 150 providers and 1,200 models, 25 of them for other things than text', () => {
    expect(data.providers.length).toBeGreaterThanOrEqual(150);
    expect(data.models.length).toBeGreaterThanOrEqual(1200);
    const others = data.models.filter(({ outputModalities }) => !outputModalities.includes('text'));
    expect(others.length).toBeGreaterThanOrEqual(25);
    expect(others.filter(({ capabilities }) => capabilities.length > 0)).toEqual([]);
  });

  it('the built-in catalogue names each provider and each model once, and no model without its provider', () => {
    expect(providers.size).toBe(data.providers.length);
    expect(new Set(data.models.map(idOf)).size).toBe(data.models.length);
    expect(data.models.filter(({ provider }) => !providers.has(provider)).map(idOf)).toEqual([]);
  });

  it('the built-in catalogue serves each provider by a known protocol, or says why it cannot', () => {
    const unclear = data.providers.filter(
      ({ protocol, unservableReason }) => (protocol === null) === (unservableReason === null),
    );
    expect(unclear.map(({ key }) => key)).toEqual([]);
    const used = new Set([...data.providers, ...data.models].map(({ protocol }) => protocol));
    used.delete(null);
    expect([...used].sort()).toEqual([...ADAPTERS.keys()].sort());
  });

  it('the built-in catalogue describes each provider in words of its own', () => {
    expect(new Set(data.providers.map(({ description }) => description)).size).toBe(data.providers.length);
    for (const { key, description } of data.providers) expect(description, key).toMatch(/^[A-Z].*\.$/);
  });

  it('the built-in catalogue has a required setting for each placeholder of a base URL', () => {
    for (const provider of data.providers) {
      const { required, names } = settingsOf(provider);
      const placeholders = placeholdersOf(provider);
      expect(names, provider.key).toEqual(expect.arrayContaining(placeholders));
      expect(required, provider.key).toEqual(expect.arrayContaining(placeholders));
    }
  });

  it('the built-in catalogue fills only settings that exist from the environment', () => {
    for (const provider of data.providers) {
      const { names } = settingsOf(provider);
      expect(names, provider.key).toEqual(expect.arrayContaining(Object.keys(provider.envVars.settings)));
    }
  });

  it('the built-in catalogue lets no environment variable stand for the secrets of two addresses', () => {
    const addresses = new Map<string, Set<string>>();
    for (const { key, baseUrl, envVars } of data.providers) {
      for (const name of envVars.secret) {
        addresses.set(name, (addresses.get(name) ?? new Set()).add(baseUrl ?? key));
      }
    }
    expect([...addresses].filter(([, { size }]) => size > 1)).toEqual([]);
  });

  it('the built-in catalogue has settings schemas that compile strictly, refuse unknown settings, and explain each known one', () => {
    const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
    for (const { key, settingsSchema } of data.providers) {
      const validate = ajv.compile(settingsSchema);
      expect(validate({ 'no such setting': 1 }), key).toBe(false);
      const { properties } = settingsSchema;
      for (const property of Object.values(isJsonObject(properties) ? properties : {})) {
        expect(property, key).toMatchObject({ title: expect.any(String), description: expect.any(String) });
        const { examples = [] } = property as { examples?: unknown[] };
        for (const example of examples) expect(ajv.validate(property as JsonObject, example), key).toBe(true);
      }
    }
  });

  it('the built-in catalogue states quirks that the protocol of their row knows', () => {
    for (const { key, protocol, quirks } of data.providers) {
      if (protocol === null) expect(quirks, key).toEqual({});
      else expect(faultsOf(protocol, quirks), key).toEqual([]);
    }
    for (const model of data.models) {
      const protocol = protocolOf(model);
      if (!protocol) expect(model.quirks, idOf(model)).toEqual({});
      else {
        const provider = providers.get(model.provider);
        const inherited = provider?.protocol === protocol ? provider.quirks : {};
        expect(faultsOf(protocol, { ...inherited, ...model.quirks }), idOf(model)).toEqual([]);
      }
    }
  });

  it('the built-in catalogue names where the quirks of a row come from', () => {
    const unsourced = data.providers.filter(({ quirks, sources }) => {
      const telling = Object.keys(quirks).filter((name) => name !== 'modelsPath' && name !== 'checkPath');
      return telling.length > 0 && !sources.some((source) => source.startsWith('quirks: '));
    });
    expect(unsourced.map(({ key }) => key)).toEqual([]);
  });

  it('the built-in catalogue has a price of zero only where nothing is charged', () => {
    const wrong = data.models.filter(({ prices, provider, key, outputModalities }) => {
      if (!prices) return false;
      const free = providers.get(provider)?.free || /(:|-|\/)free$/.test(key);
      const { tiers = [] } = prices;
      return [prices, ...tiers].some(
        ({ input, output, cacheRead, cacheWrite }) =>
          cacheRead === '0' ||
          cacheWrite === '0' ||
          (!free && (input === '0' || (output === '0' && outputModalities.includes('text')))),
      );
    });
    expect(wrong.map(idOf)).toEqual([]);
  });

  it('the built-in catalogue has price tiers in rising order, below the context that they speak of', () => {
    const wrong = data.models.filter(({ prices, contextLength }) => {
      const bounds = prices?.tiers?.map(({ aboveInputTokens }) => aboveInputTokens) ?? [];
      return (
        bounds.some((bound, index) => bound <= (bounds[index - 1] ?? 0)) ||
        bounds.some((bound) => contextLength !== null && bound > contextLength)
      );
    });
    expect(wrong.map(idOf)).toEqual([]);
  });

  it('the built-in catalogue claims no more output than context, and vision only of models that read images', () => {
    const wrong = data.models.filter(
      ({ contextLength, maxOutputTokens, capabilities, inputModalities }) =>
        (maxOutputTokens ?? 0) > (contextLength ?? Number.POSITIVE_INFINITY) ||
        (capabilities.includes('vision') && !inputModalities.includes('image')),
    );
    expect(wrong.map(idOf)).toEqual([]);
  });

  it('the built-in catalogue offers default models that it knows', () => {
    const ids = new Set(data.models.map(idOf));
    for (const { key, defaultModel } of data.providers) {
      if (defaultModel !== null) expect(ids).toContain(`${key}/${defaultModel}`);
    }
    expect(providers.get('gigachat')?.defaultModel).toMatch(/^GigaChat-.*Pro$/);
  });

  it('the built-in catalogue has the models of the sandbox as the sandbox lists them, and says that they are simulated', () => {
    const rows = data.models.filter(({ provider }) => provider === 'sandbox');
    const listed = listSandboxModels();
    expect(rows.map(({ key }) => key).sort()).toEqual(listed.map(({ key }) => key).sort());
    for (const { key, displayName, contextLength, maxOutputTokens, capabilities = [] } of listed) {
      const row = rows.find((candidate) => candidate.key === key);
      expect(row).toMatchObject({ displayName, contextLength, maxOutputTokens });
      expect(row?.capabilities).toEqual(expect.arrayContaining([...capabilities]));
      expect(row?.description).toContain('Not a real model');
    }
  });

  it('the built-in catalogue loads in well under a second, and has the same digest each time', async () => {
    const before = performance.now();
    const again = await loadCatalogueData();
    expect(performance.now() - before).toBeLessThan(300);
    expect(again.hash).toBe(data.hash);
    expect(data.hash).toMatch(/^[0-9a-f]{64}$/);
  });
});
