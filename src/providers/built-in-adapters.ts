// Owns the list of the built-in wire protocols; a new one is added here and nowhere else in the code.
import { createAnthropicMessagesAdapter } from './anthropic-messages/adapter.ts';
import { createAnthropicVertexAdapter } from './anthropic-vertex/adapter.ts';
import { createAzureOpenAiAdapter } from './azure-openai/adapter.ts';
import { createBedrockConverseAdapter } from './bedrock-converse/adapter.ts';
import { createCohereAdapter } from './cohere/adapter.ts';
import type { AdapterDependencies, CompletionAdapter } from './contract/adapter.ts';
import { createGeminiAdapter } from './gemini/adapter.ts';
import { createGeminiVertexAdapter } from './gemini-vertex/adapter.ts';
import { createGigaChatAdapter } from './gigachat/adapter.ts';
import { createOllamaAdapter } from './ollama/adapter.ts';
import { createOpenAiChatAdapter } from './openai-chat/adapter.ts';
import { createOpenAiResponsesAdapter } from './openai-responses/adapter.ts';

const FACTORIES: readonly ((dependencies: AdapterDependencies) => CompletionAdapter)[] = [
  createOpenAiChatAdapter,
  createOpenAiResponsesAdapter,
  createAzureOpenAiAdapter,
  createAnthropicMessagesAdapter,
  createAnthropicVertexAdapter,
  createGeminiAdapter,
  createGeminiVertexAdapter,
  createBedrockConverseAdapter,
  createCohereAdapter,
  createOllamaAdapter,
  // Called with one argument: the second of this factory has a default.
  (dependencies) => createGigaChatAdapter(dependencies),
];

/** Makes one adapter for each protocol that calls a network; the sandbox, which calls none, is made elsewhere. */
export function createBuiltInAdapters(dependencies: AdapterDependencies): CompletionAdapter[] {
  return FACTORIES.map((create) => create(dependencies));
}
