// Owns the protocol of Cohere's chat call, version 2.

import type { AdapterDependencies, CompletionAdapter } from '../contract/adapter.ts';
import { faultsIn } from '../shared/quirks.ts';
import { listModels } from './models.ts';
import { OPTION_RULES } from './option-rules.ts';
import { quirksSchema } from './quirks.ts';
import { streamAnswer } from './stream.ts';
import { unsupportedBy } from './unsupported.ts';

export function createCohereAdapter({ http, newId }: AdapterDependencies): CompletionAdapter {
  return {
    protocol: 'cohere',
    completions: {
      optionRules: OPTION_RULES,
      unsupported: unsupportedBy,
      stream: (request, options) => streamAnswer(http, newId, request, options),
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
