// Owns the adapters under test: the real ones, with a real HTTP pool and a token cache that keeps nothing.
import { silentLogger } from '../../src/kernel/logger.ts';
import type { TokenCache } from '../../src/kernel/token-cache.ts';
import { createAnthropicMessagesAdapter } from '../../src/providers/anthropic-messages/adapter.ts';
import { createAzureOpenAiAdapter } from '../../src/providers/azure-openai/adapter.ts';
import { createBedrockConverseAdapter } from '../../src/providers/bedrock-converse/adapter.ts';
import { createCohereAdapter } from '../../src/providers/cohere/adapter.ts';
import type { CompletionAdapter } from '../../src/providers/contract/adapter.ts';
import { createGeminiAdapter, createGeminiVertexAdapter } from '../../src/providers/gemini/adapter.ts';
import { createGigaChatAdapter } from '../../src/providers/gigachat/adapter.ts';
import { createUpstreamHttp } from '../../src/providers/http/upstream-http.ts';
import { createOllamaAdapter } from '../../src/providers/ollama/adapter.ts';
import { createOpenAiChatAdapter } from '../../src/providers/openai-chat/adapter.ts';
import { createOpenAiResponsesAdapter } from '../../src/providers/openai-responses/adapter.ts';
import { createAdapterRegistry } from '../../src/providers/registry.ts';

export interface AdapterSet {
  get(protocol: string): CompletionAdapter | undefined;
  close(): Promise<void>;
}

export function openAdapters(): AdapterSet {
  const http = createUpstreamHttp({ logger: silentLogger });
  const tokens: TokenCache = {
    get: async (_key, { fetch, signal }) => (await fetch(signal)).token,
  };
  const { completing } = createAdapterRegistry([
    createAnthropicMessagesAdapter(http),
    createAzureOpenAiAdapter({ http }),
    createBedrockConverseAdapter(http),
    createCohereAdapter({ http }),
    createGeminiAdapter({ http }),
    createGeminiVertexAdapter({ http, tokens }),
    createGigaChatAdapter({ http, tokens }),
    createOllamaAdapter({ http }),
    createOpenAiChatAdapter({ http }),
    createOpenAiResponsesAdapter(http),
  ]);
  return { get: completing, close: () => http.close() };
}
