// Owns the protocol `gemini`: the Gemini API with its keys.
import type { AdapterDependencies, CompletionAdapter } from '../contract/adapter.ts';
import { authHeaders } from '../shared/credentials.ts';
import { faultsIn } from '../shared/quirks.ts';
import { listModels } from './models.ts';
import { OPTION_RULES } from './option-rules.ts';
import { quirksSchema } from './quirks.ts';
import { type GeminiHost, streamAnswer } from './stream.ts';
import { unsupportedBy } from './unsupported.ts';

export function createGeminiAdapter({ http, newId }: AdapterDependencies): CompletionAdapter {
  const host: GeminiHost = {
    http,
    newId,
    modelUrl: ({ baseUrl }, key, method) => `${baseUrl}/${modelPath(key)}:${method}`,
    signIn: (target, _options, send) => send(authHeaders(target)),
  };
  return {
    protocol: 'gemini',
    completions: {
      optionRules: OPTION_RULES,
      unsupported: unsupportedBy,
      stream: (request, options) => streamAnswer(host, request, options),
    },
    models: { list: (target, options) => listModels(http, target, options) },
    health: {
      check: async (target, options) => {
        await listModels(http, target, options, { pageSize: 1, pages: 1 });
      },
    },
    faultsOfQuirks: faultsIn(quirksSchema),
  };
}

/** `gemini-2.5-flash`, or a name with its own collection: `tunedModels/mine`. */
function modelPath(key: string): string {
  const name = key.split('/').map(encodeURIComponent).join('/');
  return key.includes('/') ? name : `models/${name}`;
}
