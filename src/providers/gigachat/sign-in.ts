// Owns sign-in to GigaChat: a key is exchanged for a token of half an hour, which all runs share, and which is replaced once if it is refused.
import { createHash, randomUUID } from 'node:crypto';
import { ProviderError } from '../../kernel/errors.ts';
import { parseJson } from '../../kernel/json.ts';
import type { TokenCache } from '../../kernel/token-cache.ts';
import type { UpstreamHttp, UpstreamRequest, UpstreamResponse } from '../contract/http.ts';
import type { ProviderTarget } from '../contract/target.ts';
import { authHeaders, connectionOf } from '../shared/credentials.ts';
import { faultOfSignIn } from './errors.ts';
import { type GigaChatSettings, settingsOf } from './settings.ts';
import { timeLimit } from './time-limit.ts';
import { tokenSchema } from './wire.ts';

export interface SignInOptions {
  readonly http: UpstreamHttp;
  readonly tokens: TokenCache;
  /** In milliseconds; default 15,000. A fetch that hangs must end even if new runs keep waiting for it. */
  readonly tokenLimitMs?: number;
}

export interface GigaChatSignIn {
  /** Sends with a token; if the API refuses it, the token is replaced and the request sent once more. */
  send(target: ProviderTarget, request: ApiRequest): Promise<UpstreamResponse>;
  /** Fetches a new token even if one is stored, which proves that the credential is good. */
  prove(target: ProviderTarget, signal: AbortSignal): Promise<void>;
}

export interface ApiRequest extends Pick<UpstreamRequest, 'method' | 'headers' | 'body' | 'signal'> {
  /** Path under the base URL, with a leading slash. */
  readonly path: string;
}

const MIN_TOKEN_LIFE_MS = 60_000;
const TOKEN_LIMIT_MS = 15_000;
/** Smaller numbers are seconds: the documentation shows seconds, real answers have milliseconds. */
const FIRST_MILLISECONDS = 1e11;

export function createGigaChatSignIn(options: SignInOptions): GigaChatSignIn {
  const { http, tokens, tokenLimitMs = TOKEN_LIMIT_MS } = options;

  function token(
    target: ProviderTarget,
    signal: AbortSignal,
    over: { rejected?: string; minLifeMs?: number } = {},
  ) {
    const settings = settingsOf(target);
    return tokens.get(cacheKey(target, settings), {
      minLifeMs: MIN_TOKEN_LIFE_MS,
      ...over,
      signal,
      fetch: (fetchSignal) => fetchToken(target, settings, fetchSignal),
    });
  }

  function sendWith(target: ProviderTarget, request: ApiRequest, credential: Record<string, string>) {
    const { path, ...rest } = request;
    return http.send({
      ...rest,
      url: `${target.baseUrl}${path}`,
      headers: { ...request.headers, ...credential, ...ownHeaders(target) },
      ...connectionOf(target),
    });
  }

  async function fetchToken(target: ProviderTarget, settings: GigaChatSettings, signal: AbortSignal) {
    using limit = timeLimit(signal, tokenLimitMs, 'GigaChat did not give a token in time.');
    const response = await http.send({
      method: 'POST',
      ...tokenRequest(target, settings),
      signal: limit.signal,
      ...connectionOf(target),
    });
    if (response.status !== 200) throw await faultOfSignIn(response, target.secret);
    const result = tokenSchema.safeParse(parseJson(await response.text()));
    if (!result.success) {
      throw new ProviderError('PROVIDER_PROTOCOL', 'The answer to signing in has no token.', {
        phase: 'headers',
      });
    }
    const { access_token: issued, expires_at: expiresAt } = result.data;
    return { token: issued, expiresAtMs: expiresAt < FIRST_MILLISECONDS ? expiresAt * 1000 : expiresAt };
  }

  return {
    async send(target, request) {
      if (target.auth.type !== 'gigachat') return sendWith(target, request, authHeaders(target));
      const first = await token(target, request.signal);
      const response = await sendWith(target, request, { authorization: `Bearer ${first}` });
      if (response.status !== 401) return response;
      await response.text();
      const second = await token(target, request.signal, { rejected: first });
      return sendWith(target, request, { authorization: `Bearer ${second}` });
    },
    async prove(target, signal) {
      await token(target, signal, { minLifeMs: Number.POSITIVE_INFINITY });
    },
  };
}

function tokenRequest(target: ProviderTarget, { auth, oauthUrl, scope }: GigaChatSettings) {
  const headers = { authorization: `Basic ${basicKey(target)}`, accept: 'application/json' };
  if (auth === 'password') return { url: `${target.baseUrl}/token`, headers };
  return {
    url: oauthUrl,
    headers: { ...headers, rquid: randomUUID(), 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ scope }).toString(),
  };
}

/** The key as GigaChat's console shows it. A pair with a colon, which such a key never has, is encoded first. */
function basicKey({ secret, providerKey }: ProviderTarget): string {
  const key = (secret?.reveal() ?? '').trim().replace(/^Basic\s+/i, '');
  if (key === '') {
    throw new ProviderError('PROVIDER_AUTHENTICATION', `The provider ${providerKey} needs a credential.`);
  }
  return key.includes(':') ? Buffer.from(key).toString('base64') : key;
}

/** Configs with the same credential share a token; the key under which it is stored must not reveal the credential. */
function cacheKey(target: ProviderTarget, { auth, oauthUrl, scope }: GigaChatSettings): string {
  const where = auth === 'password' ? [target.baseUrl] : [oauthUrl, scope];
  const hash = createHash('sha256').update(JSON.stringify([auth, ...where, basicKey(target)]));
  return `gigachat:${hash.digest('base64url')}`;
}

function ownHeaders(target: ProviderTarget): Record<string, string> {
  return authHeaders({ ...target, auth: { type: 'none' } });
}
