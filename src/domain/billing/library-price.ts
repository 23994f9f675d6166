// Owns the prices of the price library, which are used if the catalogue has no price version. Its data is part of the package; an error inside it never
// fails a run.
import type { Nano } from '../../kernel/money.ts';
import type { Price } from './cost.ts';

type Library = typeof import('@pydantic/genai-prices');
type ModelPrice = import('@pydantic/genai-prices').ModelPrice;

/** The library's name of a provider, if it differs from the catalogue's key. A reseller is never mapped to another provider, since its prices are its own. */
const LIBRARY_IDS: Readonly<Record<string, string>> = {
  'amazon-bedrock': 'aws',
  'fireworks-ai': 'fireworks',
  togetherai: 'together',
  xai: 'x-ai',
  'novita-ai': 'novita',
  'google-vertex': 'google',
  'google-vertex-anthropic': 'anthropic',
  'kimi-for-coding': 'moonshotai',
};
const SAME_IDS = new Set([
  'openai',
  'anthropic',
  'google',
  'azure',
  'groq',
  'mistral',
  'cohere',
  'deepseek',
  'openrouter',
  'perplexity',
  'moonshotai',
  'cerebras',
  'zai',
  'minimax',
  'ovhcloud',
]);
const NANO_PER_DOLLAR = 1e9;
/** The library's kinds of tokens that have a price per million, and their names in the catalogue. */
const KINDS = {
  input_mtok: 'input',
  output_mtok: 'output',
  cache_read_mtok: 'cacheRead',
  cache_write_mtok: 'cacheWrite',
} as const;
type Kind = (typeof KINDS)[keyof typeof KINDS];

let library: Library | undefined;
const known = new Map<string, Price | undefined>();

/** Loads the library's data (some hundred kilobytes) once. It is called at start, so that no run waits for it. */
export async function loadPriceLibrary(): Promise<void> {
  library ??= await import('@pydantic/genai-prices');
}

/**
 * The library's price of a model in the catalogue's form; `undefined` if it has none in dollars per token, or is not loaded yet.
 * Source: https://github.com/pydantic/genai-prices
 */
export function libraryPrice(canonicalId: string): Price | undefined {
  if (!library) return undefined;
  if (known.has(canonicalId)) return known.get(canonicalId);
  const price = readPrice(library, canonicalId);
  known.set(canonicalId, price);
  return price;
}

function readPrice({ calcPrice }: Library, canonicalId: string): Price | undefined {
  const slash = canonicalId.indexOf('/');
  const providerKey = canonicalId.slice(0, slash);
  const providerId = LIBRARY_IDS[providerKey] ?? (SAME_IDS.has(providerKey) ? providerKey : undefined);
  if (providerId === undefined) return undefined;
  try {
    const found = calcPrice({ input_tokens: 1, output_tokens: 1 }, canonicalId.slice(slash + 1), {
      providerId,
    });
    return found ? toPrice(found.model_price) : undefined;
  } catch {
    // The library throws where a model has no price for one of the kinds of token that it is asked about.
    return undefined;
  }
}

function toPrice(price: ModelPrice): Price | undefined {
  const base = ratesAt(price, 0);
  if (base.input === undefined || base.output === undefined) return undefined;
  const tiers = boundsOf(price).map((aboveInputTokens) => {
    const rates = ratesAt(price, aboveInputTokens + 1);
    const { input = base.input, output = base.output, cacheRead, cacheWrite } = rates;
    return {
      aboveInputTokens,
      input: String(input),
      output: String(output),
      ...(cacheRead === undefined ? {} : { cacheRead: String(cacheRead) }),
      ...(cacheWrite === undefined ? {} : { cacheWrite: String(cacheWrite) }),
    };
  });
  return {
    // A price of the library has no row of its own, so no id; the run's cost lines keep the figures that it was charged by.
    id: null,
    inputNanoPerMillion: base.input,
    outputNanoPerMillion: base.output,
    cacheReadNanoPerMillion: base.cacheRead ?? null,
    cacheWriteNanoPerMillion: base.cacheWrite ?? null,
    reasoningNanoPerMillion: null,
    tiers,
    source: 'genai-prices',
  };
}

function boundsOf(price: ModelPrice): number[] {
  const starts = Object.keys(KINDS).flatMap((name) => {
    const rate = price[name];
    return typeof rate === 'object' ? rate.tiers.map(({ start }) => start) : [];
  });
  return [...new Set(starts)].sort((a, b) => a - b);
}

function ratesAt(price: ModelPrice, inputTokens: number): Partial<Record<Kind, Nano>> {
  const rates: Partial<Record<Kind, Nano>> = {};
  for (const [name, kind] of Object.entries(KINDS)) {
    const rate = price[name];
    if (rate === undefined) continue;
    const dollars =
      typeof rate === 'number'
        ? rate
        : (rate.tiers.findLast(({ start }) => inputTokens > start)?.price ?? rate.base);
    rates[kind] = BigInt(Math.round(dollars * NANO_PER_DOLLAR));
  }
  return rates;
}
