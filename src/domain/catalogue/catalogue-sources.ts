// Owns the reading of the public lists of models and prices: models.dev's `api.json` and OpenRouter's `/models`, both into one common form.
import { z } from 'zod';
import { parseJson } from '../../kernel/json.ts';
import { INPUT_MODALITIES, OUTPUT_MODALITIES } from './catalogue-data.ts';

export const CATALOGUE_SOURCES = ['models.dev', 'openrouter'] as const;
export type CatalogueSourceName = (typeof CATALOGUE_SOURCES)[number];

/** Dollars per million tokens. */
export interface SourceRates {
  readonly input: number;
  readonly output: number;
  readonly cacheRead?: number | undefined;
  readonly cacheWrite?: number | undefined;
}

export interface SourceModel {
  readonly providerKey: string;
  readonly key: string;
  readonly displayName: string;
  readonly contextLength: number | null;
  readonly maxOutputTokens: number | null;
  readonly inputModalities: readonly string[];
  readonly outputModalities: readonly string[];
  readonly capabilities: readonly string[];
  /** ISO date. */
  readonly releasedAt: string | null;
  /** `null` if no price is known. A price of zero counts as unknown unless the model's name says that it is free. */
  readonly rates:
    | (SourceRates & { readonly tiers: readonly (SourceRates & { readonly above: number })[] })
    | null;
}

const OPENROUTER = 'openrouter';
const FREE = /:free$/;
const KEY = /^[\x21-\x7e]{1,200}$/;
const DATE = /^\d{4}-\d{2}-\d{2}$/;
const MAX_TOKENS = 2_147_483_647;
const MAX_DOLLARS = 1_000_000;
const MILLION = 1e6;

// Loose schemas: only the fields that are used are checked, and an entry that does not fit is left out without the others.
const rate = z.number().min(0).max(MAX_DOLLARS);
const devRates = z.object({
  input: rate,
  output: rate,
  cache_read: rate.optional(),
  cache_write: rate.optional(),
});
const devModel = z.object({
  id: z.string().regex(KEY),
  name: z.string().trim().min(1).max(200),
  reasoning: z.boolean().optional(),
  tool_call: z.boolean().optional(),
  structured_output: z.boolean().optional(),
  release_date: z.string().optional(),
  modalities: z.object({ input: z.array(z.string()), output: z.array(z.string()) }).optional(),
  limit: z.object({ context: z.number().optional(), output: z.number().optional() }).optional(),
  cost: devRates.extend({ context_over_200k: devRates.optional() }).optional(),
});
const devProvider = z.object({ models: z.record(z.string(), z.unknown()) });

const routerRate = z.coerce.number();
const routerModel = z.object({
  id: z.string().regex(KEY),
  name: z.string().trim().min(1).max(200),
  created: z.number().optional(),
  context_length: z.number().nullish(),
  architecture: z
    .object({
      input_modalities: z.array(z.string()).optional(),
      output_modalities: z.array(z.string()).optional(),
    })
    .optional(),
  top_provider: z.object({ max_completion_tokens: z.number().nullish() }).optional(),
  supported_parameters: z.array(z.string()).optional(),
  pricing: z.object({
    prompt: routerRate,
    completion: routerRate,
    input_cache_read: routerRate.optional(),
    input_cache_write: routerRate.optional(),
  }),
});

/** Raises no error: a text that is not such a list gives no models. */
export function readCatalogueSource(name: CatalogueSourceName, text: string): SourceModel[] {
  const json = parseJson(text);
  return name === 'models.dev' ? readModelsDev(json) : readOpenRouter(json);
}

/** Source: https://models.dev/api.json, an object with one entry for each provider, and its models by id. */
function readModelsDev(json: unknown): SourceModel[] {
  const providers = z.record(z.string(), z.unknown()).safeParse(json);
  if (!providers.success) return [];
  return Object.entries(providers.data).flatMap(([providerKey, entry]) => {
    const provider = devProvider.safeParse(entry);
    // OpenRouter's own list is more exact about its models than this source.
    if (!provider.success || providerKey === OPENROUTER) return [];
    return Object.values(provider.data.models).flatMap((value) => {
      const model = devModel.safeParse(value);
      return model.success ? [toDevModel(providerKey, model.data)] : [];
    });
  });
}

function toDevModel(providerKey: string, model: z.output<typeof devModel>): SourceModel {
  const { modalities, limit, cost, release_date } = model;
  const input = known(modalities?.input, INPUT_MODALITIES);
  const large = cost?.context_over_200k;
  return {
    providerKey,
    key: model.id,
    displayName: model.name,
    contextLength: count(limit?.context),
    maxOutputTokens: count(limit?.output),
    inputModalities: input,
    outputModalities: known(modalities?.output, OUTPUT_MODALITIES),
    capabilities: [
      'streaming',
      ...(model.tool_call ? ['tools'] : []),
      ...(input.includes('image') ? ['vision'] : []),
      ...(model.reasoning ? ['reasoning'] : []),
      ...(model.structured_output ? ['json', 'json-schema'] : []),
      ...(cost?.cache_read === undefined ? [] : ['prompt-cache']),
    ],
    releasedAt: release_date && DATE.test(release_date) ? release_date : null,
    rates:
      cost && isPrice(model.id, cost.input, cost.output)
        ? { ...toRates(cost), tiers: large ? [{ above: 200_000, ...toRates(large) }] : [] }
        : null,
  };
}

function toRates(cost: z.output<typeof devRates>): SourceRates {
  return { input: cost.input, output: cost.output, cacheRead: cost.cache_read, cacheWrite: cost.cache_write };
}

/** Source: https://openrouter.ai/docs/api-reference/list-available-models; prices are dollars per token, as text. */
function readOpenRouter(json: unknown): SourceModel[] {
  const list = z.object({ data: z.array(z.unknown()) }).safeParse(json);
  if (!list.success) return [];
  return list.data.data.flatMap((value) => {
    const model = routerModel.safeParse(value);
    return model.success ? [toRouterModel(model.data)] : [];
  });
}

function toRouterModel(model: z.output<typeof routerModel>): SourceModel {
  const { architecture, pricing, supported_parameters, created } = model;
  const input = known(architecture?.input_modalities, INPUT_MODALITIES);
  const takes = (name: string) => supported_parameters?.includes(name) ?? false;
  const perMillion = (dollars: number | undefined) =>
    dollars !== undefined && dollars >= 0 && dollars * MILLION <= MAX_DOLLARS ? dollars * MILLION : undefined;
  const [inputRate, outputRate] = [perMillion(pricing.prompt), perMillion(pricing.completion)];
  return {
    providerKey: OPENROUTER,
    key: model.id,
    displayName: model.name,
    contextLength: count(model.context_length),
    maxOutputTokens: count(model.top_provider?.max_completion_tokens),
    inputModalities: input,
    outputModalities: known(architecture?.output_modalities, OUTPUT_MODALITIES),
    capabilities: [
      'streaming',
      ...(takes('tools') ? ['tools'] : []),
      ...(input.includes('image') ? ['vision'] : []),
      ...(takes('reasoning') ? ['reasoning'] : []),
      ...(takes('response_format') ? ['json'] : []),
      ...(takes('structured_outputs') ? ['json-schema'] : []),
      ...(pricing.input_cache_read ? ['prompt-cache'] : []),
    ],
    releasedAt: created ? new Date(created * 1_000).toISOString().slice(0, 10) : null,
    rates:
      inputRate !== undefined && outputRate !== undefined && isPrice(model.id, inputRate, outputRate)
        ? {
            input: inputRate,
            output: outputRate,
            cacheRead: perMillion(pricing.input_cache_read),
            cacheWrite: perMillion(pricing.input_cache_write),
            tiers: [],
          }
        : null,
  };
}

function isPrice(key: string, input: number, output: number): boolean {
  return input > 0 || output > 0 || FREE.test(key);
}

function known(values: readonly string[] | undefined, words: readonly string[]): string[] {
  const found = words.filter((word) => values?.includes(word));
  return found.length > 0 ? found : ['text'];
}

function count(value: number | null | undefined): number | null {
  return value != null && Number.isInteger(value) && value > 0 && value <= MAX_TOKENS ? value : null;
}
