// Owns what the runner knows of each protocol and of each provider's folder: a new protocol is entered here, beside its plain reader.
import { readFileSync } from 'node:fs';
import { isJsonObject, type JsonObject } from '../../src/kernel/json.ts';
import type { AuthScheme } from '../../src/providers/contract/target.ts';
import { readAnthropic } from './readers/anthropic.ts';
import { readBedrock } from './readers/bedrock.ts';
import { readCohere } from './readers/cohere.ts';
import { readGemini } from './readers/gemini.ts';
import { readGigaChat } from './readers/gigachat.ts';
import { readOllama } from './readers/ollama.ts';
import { readOpenAiChat } from './readers/openai-chat.ts';
import { readOpenAiResponses } from './readers/openai-responses.ts';
import type { Reader } from './reading.ts';
import type { RecordedCase } from './recorded-case.ts';
import { at, listAt, textAt } from './walk.ts';

export interface Route {
  readonly protocol: string;
  /** Key of the provider in the catalogue, whose quirks apply. */
  readonly providerKey: string;
}

const BEARER: AuthScheme = { type: 'header', header: 'authorization', prefix: 'Bearer ', optional: true };

/** Folder name -> protocol and catalogue key. */
const ROUTES: Readonly<Record<string, readonly [protocol: string, providerKey: string]>> = {
  anthropic: ['anthropic-messages', 'anthropic'],
  'azure-foundry': ['openai-chat', 'azure-foundry'],
  'azure-openai': ['azure-openai', 'azure'],
  'bedrock-converse': ['bedrock-converse', 'amazon-bedrock'],
  cerebras: ['openai-chat', 'cerebras'],
  cohere: ['cohere', 'cohere'],
  deepseek: ['openai-chat', 'deepseek'],
  fireworks: ['openai-chat', 'fireworks-ai'],
  gemini: ['gemini', 'google'],
  gigachat: ['gigachat', 'gigachat'],
  gpustack: ['openai-chat', 'gpustack'],
  groq: ['openai-chat', 'groq'],
  'hf-router': ['openai-chat', 'huggingface'],
  'lm-studio': ['openai-chat', 'lmstudio'],
  mistral: ['openai-chat', 'mistral'],
  'ollama-compat': ['openai-chat', 'ollama-cloud'],
  'ollama-native': ['ollama', 'ollama'],
  'openai-chat': ['openai-chat', 'openai'],
  'openai-responses': ['openai-responses', 'openai'],
  openrouter: ['openai-chat', 'openrouter'],
  perplexity: ['openai-chat', 'perplexity'],
  together: ['openai-chat', 'togetherai'],
  vertex: ['gemini-vertex', 'google-vertex'],
  vllm: ['openai-chat', 'vllm'],
  xai: ['openai-chat', 'xai'],
  'xai-responses': ['openai-responses', 'xai'],
  'z.ai': ['openai-chat', 'zai'],
};

/** What a protocol needs to be checked. A protocol without an entry has no recorded answers. */
interface CheckedProtocol {
  /** The plain reader of its answers. */
  readonly reader: Reader;
  /** Settings that a config of it cannot do without; the values only have to be well-formed. */
  readonly settings?: (baseUrl: string) => Readonly<Record<string, string>>;
  /** How the credential travels, if not as a bearer. */
  readonly auth?: AuthScheme;
}

const PROTOCOLS: Readonly<Record<string, CheckedProtocol>> = {
  'anthropic-messages': { reader: readAnthropic },
  'azure-openai': { reader: readOpenAiChat, settings: () => ({ apiVersion: '2024-10-21' }) },
  'bedrock-converse': { reader: readBedrock, settings: () => ({ region: 'us-east-1' }) },
  cohere: { reader: readCohere },
  gemini: { reader: readGemini },
  'gemini-vertex': {
    reader: readGemini,
    settings: () => ({ project: 'project', location: 'us-central1' }),
  },
  gigachat: {
    reader: readGigaChat,
    settings: (baseUrl) => ({ oauthUrl: `${baseUrl}/api/v2/oauth`, scope: 'GIGACHAT_API_PERS' }),
    auth: { type: 'gigachat' },
  },
  ollama: { reader: readOllama },
  'openai-chat': { reader: readOpenAiChat },
  'openai-responses': { reader: readOpenAiResponses },
};

/** What the address of the recorded request tells for certain, whatever its folder is called. */
const ADDRESSES: readonly (readonly [RegExp, string])[] = [
  [/\/(converse|converse-stream)$/, 'bedrock-converse'],
  [/\/v1\/messages\b|publishers\/anthropic\//, 'anthropic-messages'],
  [/aiplatform\.googleapis\.com.*:(streamG|g)enerateContent/, 'gemini-vertex'],
  [/:(streamG|g)enerateContent/, 'gemini'],
  [/sberbank|giga\.chat/, 'gigachat'],
  [/cohere\.(com|ai)\/v2/, 'cohere'],
  [/\/api\/(chat|generate|tags)$/, 'ollama'],
  [/\/responses$/, 'openai-responses'],
  [/openai\.azure\.com/, 'azure-openai'],
];

export function routeOf(recorded: RecordedCase): Route {
  const path = recorded.uri.replace(/\?.*$/, '');
  const [tabled, providerKey = recorded.provider] = ROUTES[recorded.provider] ?? [];
  const addressed = ADDRESSES.find(([address]) => address.test(path))?.[1];
  const listed = tabled ?? textAt(catalogueRow(providerKey), 'protocol') ?? 'openai-chat';
  const compatible =
    /\/chat\/completions$/.test(path) && !listed.includes('openai') ? 'openai-chat' : undefined;
  return { protocol: addressed ?? compatible ?? listed, providerKey };
}

export function settingsOf(protocol: string, baseUrl: string): Readonly<Record<string, string>> {
  return PROTOCOLS[protocol]?.settings?.(baseUrl) ?? {};
}

export function authOf(protocol: string): AuthScheme {
  return PROTOCOLS[protocol]?.auth ?? BEARER;
}

export function readerOf(protocol: string): Reader {
  const reader = PROTOCOLS[protocol]?.reader;
  if (!reader) throw new Error(`No plain reader for protocol ${protocol}`);
  return reader;
}

const CATALOGUE = new URL('../../src/domain/catalogue/data/providers.json', import.meta.url);

/** The quirks of the provider's catalogue row; none where there is no such row, or where it speaks another protocol by default. */
export function quirksOf({ providerKey, protocol }: Route): JsonObject {
  const row = catalogueRow(providerKey);
  const quirks = textAt(row, 'protocol') === protocol ? at(row, 'quirks') : undefined;
  return isJsonObject(quirks) ? quirks : {};
}

function catalogueRow(providerKey: string): unknown {
  catalogue ??= listAt(JSON.parse(readFileSync(CATALOGUE, 'utf8')), 'providers');
  return catalogue.find((row) => textAt(row, 'key') === providerKey);
}

let catalogue: unknown[] | undefined;
