// Owns which adapters there are: the built-in ones, those of tests in their place, and further ones by configuration.
import type { Config } from '../configuration/config.ts';
import type { Logger } from '../kernel/logger.ts';
import { createAnthropicMessagesAdapter } from '../providers/anthropic-messages/adapter.ts';
import { createAnthropicVertexAdapter } from '../providers/anthropic-vertex/adapter.ts';
import { createAzureOpenAiAdapter } from '../providers/azure-openai/adapter.ts';
import { createBedrockConverseAdapter } from '../providers/bedrock-converse/adapter.ts';
import { createCohereAdapter } from '../providers/cohere/adapter.ts';
import type { Adapter, TokenCache, UpstreamHttp } from '../providers/contract/adapter.ts';
import { loadAdapters } from '../providers/external-adapters.ts';
import { createGeminiAdapter, createGeminiVertexAdapter } from '../providers/gemini/adapter.ts';
import { createGigaChatAdapter } from '../providers/gigachat/adapter.ts';
import { createOllamaAdapter } from '../providers/ollama/adapter.ts';
import { createOpenAiChatAdapter } from '../providers/openai-chat/adapter.ts';
import { createOpenAiResponsesAdapter } from '../providers/openai-responses/adapter.ts';
import { type AdapterRegistry, createAdapterRegistry } from '../providers/registry.ts';
import { createSandboxAdapter } from '../providers/sandbox/adapter.ts';
import { IssuedTokens } from '../providers/secret-texts.ts';

interface AdapterSources {
  readonly config: Config;
  readonly http: UpstreamHttp;
  readonly tokens: TokenCache;
  readonly logger: Logger;
  /** Take the place of built-in ones of the same protocol. */
  readonly overrides: readonly Adapter[];
}

export async function openAdapters({
  config,
  http,
  tokens,
  logger,
  overrides,
}: AdapterSources): Promise<AdapterRegistry> {
  const replaced = new Set(overrides.map(({ protocol }) => protocol));
  const issued = new IssuedTokens(tokens);
  const builtIn = builtInAdapters(config, http, issued).filter(({ protocol }) => !replaced.has(protocol));
  const known = [...builtIn, ...overrides];
  const spoken = new Set(known.map(({ protocol }) => protocol));
  const further = await loadAdapters(config.adapters, { http, tokens: issued, logger }, spoken);
  return createAdapterRegistry([...known, ...further], issued.texts);
}

function builtInAdapters(config: Config, http: UpstreamHttp, tokens: TokenCache): Adapter[] {
  return [
    createOpenAiChatAdapter({ http }),
    createOpenAiResponsesAdapter(http),
    createAzureOpenAiAdapter({ http }),
    createAnthropicMessagesAdapter(http),
    createAnthropicVertexAdapter({ http, tokens }),
    createGeminiAdapter({ http }),
    createGeminiVertexAdapter({ http, tokens }),
    createBedrockConverseAdapter(http),
    createCohereAdapter({ http }),
    createOllamaAdapter({ http }),
    createGigaChatAdapter({ http, tokens }),
    ...(config.sandbox ? [createSandboxAdapter()] : []),
  ];
}
