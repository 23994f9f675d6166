// Owns the protocol `gigachat`: the API v1 of Sber's GigaChat.

import type { AdapterDependencies, CompletionAdapter } from '../contract/adapter.ts';
import { faultsIn } from '../shared/quirks.ts';
import { listModels } from './models.ts';
import { OPTION_RULES } from './option-rules.ts';
import { quirksSchema } from './quirks.ts';
import { createGigaChatSignIn } from './sign-in.ts';
import { streamAnswer } from './stream.ts';
import { timeLimit } from './time-limit.ts';
import { unsupportedBy } from './unsupported.ts';

export interface GigaChatLimits {
  /** How long fetching a token may take, in milliseconds. Default 15,000. */
  readonly tokenLimitMs?: number;
  /** How long a check may take, in milliseconds. Default 5,000. */
  readonly checkLimitMs?: number;
}

export function createGigaChatAdapter(
  { http, tokens, newId }: AdapterDependencies,
  { tokenLimitMs, checkLimitMs = 5000 }: GigaChatLimits = {},
): CompletionAdapter {
  const signIn = createGigaChatSignIn({
    http,
    tokens,
    ...(tokenLimitMs === undefined ? {} : { tokenLimitMs }),
  });
  return {
    protocol: 'gigachat',
    completions: {
      optionRules: OPTION_RULES,
      unsupported: unsupportedBy,
      stream: (request, callOptions) => streamAnswer(signIn, request, callOptions, newId),
    },
    models: { list: (target, { signal }) => listModels(signIn, target, signal) },
    health: {
      async check(target, { signal }) {
        using limit = timeLimit(signal, checkLimitMs, `GigaChat did not answer within ${checkLimitMs} ms.`);
        if (target.auth.type === 'gigachat') await signIn.prove(target, limit.signal);
        else await listModels(signIn, target, limit.signal);
      },
    },
    faultsOfQuirks: faultsIn(quirksSchema),
  };
}
