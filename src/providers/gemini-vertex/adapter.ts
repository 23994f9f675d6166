// Owns the protocol `gemini-vertex`: the Gemini protocol at Vertex, with Google Cloud's addresses and credentials.
import type { AdapterDependencies, CompletionAdapter } from '../contract/adapter.ts';
import { OPTION_RULES } from '../gemini/option-rules.ts';
import { quirksOf, quirksSchema } from '../gemini/quirks.ts';
import { checkByCounting, type GeminiHost, streamAnswer } from '../gemini/stream.ts';
import { unsupportedBy } from '../gemini/unsupported.ts';
import { faultsIn } from '../shared/quirks.ts';
import { vertexModelUrl } from '../vertex/address.ts';
import { createVertexSignIn } from '../vertex/sign-in.ts';

/** Has no `models`: Vertex lists the models of its catalogue, not those that a project may call. */
export function createGeminiVertexAdapter({
  http,
  tokens,
  clock,
  newId,
}: AdapterDependencies): CompletionAdapter {
  const host: GeminiHost = {
    http,
    newId,
    modelUrl: (target, modelKey, method) => {
      const { apiVersion } = quirksOf(target);
      return vertexModelUrl(target, { apiVersion, publisher: 'google', modelKey, method });
    },
    signIn: createVertexSignIn({ http, tokens, clock }),
  };
  return {
    protocol: 'gemini-vertex',
    completions: {
      optionRules: OPTION_RULES,
      unsupported: unsupportedBy,
      stream: (request, options) => streamAnswer(host, request, options),
    },
    health: { check: (target, options) => checkByCounting(host, target, options) },
    faultsOfQuirks: faultsIn(quirksSchema),
  };
}
