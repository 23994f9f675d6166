// Owns Ollama's own chat protocol: newline-delimited JSON, with arguments of tools as objects.

import type { AdapterDependencies, CompletionAdapter } from '../contract/adapter.ts';
import { faultsIn } from '../shared/quirks.ts';
import { checkVersion, listModels } from './models.ts';
import { OPTION_RULES } from './option-rules.ts';
import { quirksSchema } from './quirks.ts';
import { streamAnswer } from './stream.ts';
import { unsupportedBy } from './unsupported.ts';

export function createOllamaAdapter({ http, newId }: AdapterDependencies): CompletionAdapter {
  return {
    protocol: 'ollama',
    completions: {
      optionRules: OPTION_RULES,
      unsupported: unsupportedBy,
      stream: (request, options) => streamAnswer(http, newId, request, options),
    },
    models: { list: (target, options) => listModels(http, target, options) },
    health: { check: (target, options) => checkVersion(http, target, options) },
    faultsOfQuirks: faultsIn(quirksSchema),
  };
}
