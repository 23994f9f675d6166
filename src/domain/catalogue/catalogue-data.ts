// Owns the form of the built-in catalogue, `data/providers.json` and `data/models.json`, and their loading on demand.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { JsonObject } from '../../kernel/json.ts';
import type { AuthScheme } from '../../providers/contract/target.ts';

/**
 * What a model can do. `tools`, `vision` and `reasoning` are known for every row, so that their absence means that the model lacks them;
 * the absence of another means only that the catalogue does not know.
 */
export const MODEL_CAPABILITIES = [
  /** Its answer arrives as it is made. */
  'streaming',
  /** Calls functions that the request describes. */
  'tools',
  /** Reads images. */
  'vision',
  /** Thinks before it answers. */
  'reasoning',
  /** Can be held to JSON of any form. */
  'json',
  /** Can be held to a JSON Schema. */
  'json-schema',
  /** Input that comes again costs less: a price for cached input is known, or the provider's documentation names one. */
  'prompt-cache',
] as const;

export const INPUT_MODALITIES = ['text', 'image', 'audio'] as const;

/** Only a model with `text` can be called for a completion. `transcription` is text too, but made from speech by a different call. */
export const OUTPUT_MODALITIES = [
  'text',
  'image',
  'audio',
  'video',
  'embedding',
  'transcription',
  'ranking',
  'classification',
] as const;

export const PROVIDER_CATEGORIES = ['lab', 'cloud', 'inference', 'aggregator', 'local', 'generic'] as const;

const jsonObject = z.record(z.string(), z.json()) as z.ZodType<JsonObject>;
const line = z.string().trim().min(1).max(300);
const phrases = z.array(line).readonly();
const environmentName = z.string().regex(/^[A-Z0-9_]+$/);

const authSchema: z.ZodType<AuthScheme> = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('none') }),
  z.strictObject({
    type: z.literal('header'),
    header: z.string().regex(/^[a-z0-9-]+$/),
    prefix: z.string(),
    optional: z.boolean(),
  }),
  z.strictObject({ type: z.literal('aws') }),
  z.strictObject({ type: z.literal('gigachat') }),
  z.strictObject({ type: z.literal('google') }),
]);

/** Name of a built-in adapter; a test checks that every row names an adapter that exists. */
const protocolName = z.string().regex(/^[a-z0-9-]{1,64}$/);

export const catalogueProviderSchema = z.strictObject({
  key: z.string().regex(/^[a-z0-9-]{1,64}$/),
  displayName: line,
  description: line,
  category: z.enum(PROVIDER_CATEGORIES),
  /** Null if no protocol of this gateway can serve it; `unservableReason` says why. */
  protocol: protocolName.nullable(),
  unservableReason: line.nullable(),
  /** With the names of required settings as placeholders: `https://{resource}.openai.azure.com`. Null: the config gives it. */
  baseUrl: z
    .string()
    .regex(/^https?:\/\/\S+[^/\s]$/)
    .nullable(),
  auth: authSchema,
  /** JSON Schema, draft 2020-12, of what a config of this provider carries in `settings`. */
  settingsSchema: jsonObject,
  /** Environment variables that stand for the secret (the first that is set), for settings and for the base URL. */
  envVars: z.strictObject({
    secret: z.array(environmentName).readonly(),
    settings: z.record(z.string(), environmentName),
    baseUrl: z.array(environmentName).readonly().optional(),
  }),
  docsUrl: z.url().nullable(),
  /** True if it has a call that lists its models in a form that its protocol can read; null if that is not known. */
  modelsEndpoint: z.boolean().nullable(),
  /** Named deviations from the protocol, in the form of its `quirks.ts`. They hold only for models of that protocol. */
  quirks: jsonObject,
  /** True if calls cost nothing: a simulation, or a server that the user runs. */
  free: z.boolean(),
  /** Key of the model for which an instance is made together with a config. */
  defaultModel: z.string().nullable(),
  /** Where the facts of the row come from. */
  sources: z.array(line).min(1).readonly(),
});

/** Nano-dollars per million tokens, as decimal text. */
const price = z.string().regex(/^(0|[1-9]\d{0,14})$/);

const priceFields = {
  input: price,
  output: price,
  /** Absent: it is not known to differ from `input`. */
  cacheRead: price.optional(),
  cacheWrite: price.optional(),
};

export const catalogueModelSchema = z.strictObject({
  /** Key of its provider; `<provider>/<key>` is its canonical id. */
  provider: z.string(),
  key: z.string().trim().min(1).max(200),
  displayName: line,
  description: line.nullable(),
  contextLength: z.int().positive().nullable(),
  maxOutputTokens: z.int().positive().nullable(),
  inputModalities: z.array(z.enum(INPUT_MODALITIES)).min(1).readonly(),
  outputModalities: z.array(z.enum(OUTPUT_MODALITIES)).min(1).readonly(),
  capabilities: z.array(z.enum(MODEL_CAPABILITIES)).readonly(),
  /** Null if no price in dollars is known; zero only if it is known to cost nothing. */
  prices: z
    .strictObject({
      ...priceFields,
      /** Prices for requests whose input is larger than a bound, the smallest bound first; a price holds for the whole request. */
      tiers: z
        .array(z.strictObject({ aboveInputTokens: z.int().positive(), ...priceFields }))
        .min(1)
        .readonly()
        .optional(),
    })
    .nullable(),
  tags: z.array(z.string().regex(/^[a-z0-9-]+$/)).readonly(),
  strengths: phrases,
  weaknesses: phrases,
  /** Overrides the provider's protocol. */
  protocol: protocolName.nullable(),
  quirks: jsonObject,
  releasedAt: z.iso.date().nullable(),
});

const version = z.iso.date();
export const providersFileSchema = z.strictObject({
  version,
  providers: z.array(catalogueProviderSchema).readonly(),
});
export const modelsFileSchema = z.strictObject({ version, models: z.array(catalogueModelSchema).readonly() });

export type CatalogueProvider = Readonly<z.output<typeof catalogueProviderSchema>>;
export type CatalogueModel = Readonly<z.output<typeof catalogueModelSchema>>;

export interface CatalogueData {
  /** Date of the data. */
  readonly version: string;
  /** Digest of the content: the seed is up to date if it was made from the same. */
  readonly hash: string;
  readonly providers: readonly CatalogueProvider[];
  readonly models: readonly CatalogueModel[];
}

/** Reads the files, which are checked against their schemas by a test rather than at each start. */
export async function loadCatalogueData(): Promise<CatalogueData> {
  const [providersFile, modelsFile] = await Promise.all([
    import('./data/providers.json', { with: { type: 'json' } }),
    import('./data/models.json', { with: { type: 'json' } }),
  ]);
  const { version, providers } = providersFile.default as unknown as z.output<typeof providersFileSchema>;
  const { models } = modelsFile.default as unknown as z.output<typeof modelsFileSchema>;
  const hash = createHash('sha256')
    .update(JSON.stringify([providers, models]))
    .digest('hex');
  return { version, hash, providers, models };
}
