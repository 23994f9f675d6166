// Owns the server that a recorded case is read from, and the call that an adapter makes to it.
import { Secret } from '../../src/kernel/secret.ts';
import type { ProviderRequest } from '../../src/providers/contract/completions.ts';
import type { ProviderTarget } from '../../src/providers/contract/target.ts';
import { type Reply, startFakeUpstream } from '../support/fake-upstream.ts';
import type { Serving } from './cuts.ts';
import { authOf, quirksOf, settingsOf } from './protocols.ts';
import type { RecordedCase } from './recorded-case.ts';

export interface CaseServer {
  readonly url: string;
  use(serving: Serving): void;
  close(): Promise<void>;
}

export async function serveCase(recorded: RecordedCase): Promise<CaseServer> {
  let reply: Reply = { body: [] };
  const tokenWasRecorded = /\/oauth\b/.test(recorded.uri);
  const server = await startFakeUpstream(({ path }) => {
    const wantsToken = /\/(oauth|token)\b/.test(path);
    return wantsToken && !tokenWasRecorded ? tokenReply() : reply;
  });
  return {
    url: server.url,
    use(serving) {
      reply = { status: recorded.status, headers: recorded.headers, body: serving.pieces };
    },
    close: () => server.close(),
  };
}

function tokenReply(): Reply {
  const body = JSON.stringify({
    access_token: 'token',
    token_type: 'Bearer',
    expires_in: 1800,
    expires_at: Date.now() + 1_800_000,
  });
  return { headers: { 'content-type': 'application/json' }, body };
}

export function targetOf(protocol: string, providerKey: string, baseUrl: string): ProviderTarget {
  return {
    configId: 'conformance',
    providerKey,
    baseUrl,
    auth: authOf(protocol),
    secret: new Secret('secret'),
    headers: {},
    settings: settingsOf(protocol, baseUrl),
    quirks: quirksOf({ providerKey, protocol }),
    connectTimeoutMs: 5_000,
  };
}

export function requestTo(target: ProviderTarget): ProviderRequest {
  return {
    target,
    model: { key: 'model', maxOutputTokens: 1_000, reasoning: false },
    messages: [{ role: 'user', parts: [{ type: 'text', text: 'Hello' }], toolCalls: [] }],
    parameters: {},
    tools: [],
    providerOptions: {},
  };
}
