// Owns a fake GigaChat: signing in and the API on one address, with tokens that can be revoked.

import { createMemoryTokenCache } from '../../../src/coordination/memory/token-cache.ts';
import { systemClock } from '../../../src/kernel/clock.ts';
import type { JsonObject } from '../../../src/kernel/json.ts';
import { Secret } from '../../../src/kernel/secret.ts';
import type { AdapterDependencies } from '../../../src/providers/contract/adapter.ts';
import type { ProviderTarget } from '../../../src/providers/contract/target.ts';
import { createGigaChatAdapter, type GigaChatLimits } from '../../../src/providers/gigachat/adapter.ts';
import type { ReceivedRequest, Reply } from '../../support/fake-upstream.ts';
import { providerTarget, startProvider } from '../../support/provider-calls.ts';

export const AUTHORIZATION_KEY = 'Y2xpZW50OnNlY3JldA==';

export interface FakeGigaChatOptions {
  /** The answer to signing in; by default a new token of half an hour. */
  readonly signIn?: (request: ReceivedRequest, count: number) => Reply | Promise<Reply>;
  /** The answer to an API call with a token that is good. */
  readonly answer?: (request: ReceivedRequest, count: number) => Reply | Promise<Reply>;
  readonly dependencies?: Partial<AdapterDependencies>;
  readonly limits?: GigaChatLimits;
  readonly settings?: JsonObject;
  readonly target?: Partial<ProviderTarget>;
}

export const json = (body: unknown, status = 200): Reply => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8', 'x-request-id': 'rq-1' },
  body: JSON.stringify(body),
});

export const whole = (message: object, finishReason = 'stop', usage: object | null = null): Reply =>
  json({
    choices: [{ message: { role: 'assistant', ...message }, index: 0, finish_reason: finishReason }],
    created: 1_800_000_000,
    model: 'GigaChat:2.0',
    object: 'chat.completion',
    usage,
  });

export const unauthorized = json({ status: 401, message: 'Token has expired' }, 401);

export async function startGigaChat(options: FakeGigaChatOptions = {}) {
  const issued: string[] = [];
  const revoked = new Set<string>();
  let signIns = 0;
  let calls = 0;

  const provider = await startProvider((request) => {
    if (request.path === '/oauth' || request.path === '/api/token') {
      signIns += 1;
      if (options.signIn) return options.signIn(request, signIns);
      const token = `token-${signIns}`;
      issued.push(token);
      return json({ access_token: token, expires_at: Date.now() + 1_800_000 });
    }
    const token = request.headers.authorization?.replace('Bearer ', '') ?? '';
    if (revoked.has(token)) return unauthorized;
    calls += 1;
    return options.answer?.(request, calls) ?? whole({ content: 'Hi' });
  });
  const target = providerTarget({
    providerKey: 'gigachat',
    baseUrl: `${provider.upstream.url}/api`,
    auth: { type: 'gigachat' },
    secret: new Secret(AUTHORIZATION_KEY),
    settings: { oauthUrl: `${provider.upstream.url}/oauth`, ...options.settings },
    ...options.target,
  });
  const adapter = createGigaChatAdapter(
    { ...provider, tokens: createMemoryTokenCache({ clock: systemClock }), ...options.dependencies },
    options.limits,
  );
  const requestsTo = (path: string) => provider.upstream.requests.filter((request) => request.path === path);
  return {
    adapter,
    target,
    upstream: provider.upstream,
    revoke: (token: string) => revoked.add(token),
    requestsTo,
    /** Bodies of the completions asked for. */
    bodies: () =>
      requestsTo('/api/chat/completions').map((request) => request.json() as Record<string, unknown>),
    [Symbol.asyncDispose]: () => provider[Symbol.asyncDispose](),
  };
}
