// Owns the Gemini protocol at Google's two doors: the Gemini API, and Vertex with its own addresses and credentials.

import { type Clock, systemClock } from '../../kernel/clock.ts';
import { type NewId, newId } from '../../kernel/ids.ts';
import type { TokenCache } from '../../kernel/token-cache.ts';
import type { CompletionAdapter } from '../contract/adapter.ts';
import type { Completions } from '../contract/completions.ts';
import type { UpstreamHttp } from '../contract/http.ts';
import { authHeaders } from '../shared/credentials.ts';
import { faultsIn } from '../shared/quirks.ts';
import { vertexModelUrl } from '../vertex/address.ts';
import { createVertexSignIn } from '../vertex/sign-in.ts';
import { checkByCounting, type Door, streamAnswer } from './call.ts';
import { listGeminiModels } from './models.ts';
import { GEMINI_OPTION_RULES } from './option-rules.ts';
import { geminiQuirksSchema, quirksOfTarget } from './quirks.ts';
import { unsupportedByGemini } from './unsupported.ts';

export interface GeminiAdapterOptions {
  readonly http: UpstreamHttp;
  /** Mints ids of calls that came without one. */
  readonly newId?: NewId;
}

export interface GeminiVertexAdapterOptions extends GeminiAdapterOptions {
  readonly tokens: TokenCache;
  readonly clock?: Clock;
}

export function createGeminiAdapter({ http, newId: mint = newId }: GeminiAdapterOptions): CompletionAdapter {
  const door: Door = {
    http,
    newId: mint,
    modelUrl: ({ baseUrl }, key, method) => `${baseUrl}/${modelPath(key)}:${method}`,
    signIn: (target, _options, send) => send(authHeaders(target)),
  };
  return {
    protocol: 'gemini',
    completions: completionsAt(door),
    models: { list: (target, options) => listGeminiModels(http, target, options) },
    health: {
      check: async (target, options) => {
        await listGeminiModels(http, target, options, { pageSize: 1, pages: 1 });
      },
    },
    faultsOfQuirks: faultsIn(geminiQuirksSchema),
  };
}

/** Without `models`: Vertex lists what its garden has, not what a project may call. */
export function createGeminiVertexAdapter(options: GeminiVertexAdapterOptions): CompletionAdapter {
  const { http, tokens, newId: mint = newId, clock = systemClock } = options;
  const door: Door = {
    http,
    newId: mint,
    modelUrl: (target, modelKey, method) => {
      const { apiVersion } = quirksOfTarget(target);
      return vertexModelUrl(target, { apiVersion, publisher: 'google', modelKey, method });
    },
    signIn: createVertexSignIn({ http, tokens, clock }),
  };
  return {
    protocol: 'gemini-vertex',
    completions: completionsAt(door),
    health: { check: (target, callOptions) => checkByCounting(door, target, callOptions) },
    faultsOfQuirks: faultsIn(geminiQuirksSchema),
  };
}

function completionsAt(door: Door): Completions {
  return {
    optionRules: GEMINI_OPTION_RULES,
    unsupported: unsupportedByGemini,
    stream: (request, options) => streamAnswer(door, request, options),
  };
}

/** `gemini-2.5-flash`, or a name with its own collection: `tunedModels/mine`. */
function modelPath(key: string): string {
  const name = key.split('/').map(encodeURIComponent).join('/');
  return key.includes('/') ? name : `models/${name}`;
}
