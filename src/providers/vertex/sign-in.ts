// Owns sign-in to Google Cloud: by a service account's key, whose tokens are fetched and shared, by an access token, or by an API key.
import { createHash, createPrivateKey, sign } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '../../kernel/clock.ts';
import { ProviderError } from '../../kernel/errors.ts';
import { parseJson } from '../../kernel/json.ts';
import type { TokenCache } from '../../kernel/token-cache.ts';
import type { UpstreamHttp, UpstreamResponse } from '../contract/http.ts';
import type { CallOptions, ProviderTarget } from '../contract/target.ts';
import { errorText, faultOfStatus, withoutSecret } from '../shared/answer-faults.ts';
import { authHeaders, connectionOf } from '../shared/credentials.ts';
import { vertexSettings } from './address.ts';

export interface VertexSignInOptions {
  readonly http: UpstreamHttp;
  readonly tokens: TokenCache;
  readonly clock: Clock;
}

/** Sends the request with the credential's headers; if a token is refused, it is replaced and the request sent once more. */
export type VertexSignIn = (
  target: ProviderTarget,
  options: CallOptions,
  send: (headers: Record<string, string>) => Promise<UpstreamResponse>,
) => Promise<UpstreamResponse>;

const DEFAULT_TOKEN_URL = 'https://oauth2.googleapis.com/token';
const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';
const ASSERTION_LIFE_SECONDS = 3600;
const MIN_TOKEN_LIFE_MS = 60_000;

const serviceAccountSchema = z.object({
  client_email: z.string().min(1),
  private_key: z.string().min(1),
  private_key_id: z.string().optional(),
  token_uri: z.url({ protocol: /^https?$/ }).default(DEFAULT_TOKEN_URL),
});

type ServiceAccount = z.output<typeof serviceAccountSchema>;

const tokenSchema = z.object({ access_token: z.string().min(1), expires_in: z.number().default(3600) });

/** Keys of Google's API consoles, old and new; any other text is an access token. */
const API_KEY = /^(AIza|AQ\.)/;

export function createVertexSignIn(options: VertexSignInOptions): VertexSignIn {
  return async (target, { signal }, send) => {
    const secret = target.secret?.reveal().trim() ?? '';
    if (target.auth.type !== 'google' || secret === '') return send(authHeaders(withoutGoogle(target)));
    const own = ownHeaders(target);
    if (!secret.startsWith('{')) return send({ ...credentialHeader(secret, target), ...own });

    const account = readServiceAccount(secret);
    const tokenFor = (rejected?: string) =>
      options.tokens.get(cacheKey(account), {
        minLifeMs: MIN_TOKEN_LIFE_MS,
        signal,
        ...(rejected === undefined ? {} : { rejected }),
        fetch: (fetchSignal) => fetchToken(options, target, account, fetchSignal),
      });
    const token = await tokenFor();
    const response = await send({ authorization: `Bearer ${token}`, ...own });
    if (response.status !== 401) return response;
    await response.text();
    return send({ authorization: `Bearer ${await tokenFor(token)}`, ...own });
  };
}

/** Without a credential only the config's own headers are sent, e.g. to a proxy that signs in itself. */
function withoutGoogle(target: ProviderTarget): ProviderTarget {
  return target.auth.type === 'google' ? { ...target, auth: { type: 'none' } } : target;
}

function ownHeaders(target: ProviderTarget): Record<string, string> {
  return authHeaders({ ...target, auth: { type: 'none' } });
}

/** Express mode has API keys and no project. */
function credentialHeader(secret: string, target: ProviderTarget): Record<string, string> {
  return API_KEY.test(secret) || vertexSettings(target).project === undefined
    ? { 'x-goog-api-key': secret }
    : { authorization: `Bearer ${secret}` };
}

function readServiceAccount(secret: string): ServiceAccount {
  const result = serviceAccountSchema.safeParse(parseJson(secret));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw unusableKey(`${issue?.path.join('.') || 'the text'} is not valid`);
}

/** Includes the key itself, so that a replaced key gets a token of its own. */
function cacheKey(account: ServiceAccount): string {
  const digest = createHash('sha256').update(
    `${account.token_uri}\n${account.client_email}\n${account.private_key}`,
  );
  return `google:${digest.digest('base64url')}`;
}

/** https://developers.google.com/identity/protocols/oauth2/service-account#httprest */
async function fetchToken(
  { http, clock }: VertexSignInOptions,
  target: ProviderTarget,
  account: ServiceAccount,
  signal: AbortSignal,
): Promise<{ readonly token: string; readonly expiresAtMs: number }> {
  const nowMs = clock.now().getTime();
  const body = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    assertion: signAssertion(account, Math.floor(nowMs / 1000)),
  });
  const response = await http.send({
    method: 'POST',
    url: account.token_uri,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: body.toString(),
    signal,
    ...connectionOf(target),
  });
  const text = await response.text();
  if (response.status !== 200) throw faultOfTokenAnswer(response, text, target);
  const result = tokenSchema.safeParse(parseJson(text));
  if (!result.success) {
    throw new ProviderError(
      'PROVIDER_PROTOCOL',
      "Google's token endpoint answered without an access token.",
      {
        status: response.status,
        phase: 'headers',
      },
    );
  }
  return { token: result.data.access_token, expiresAtMs: nowMs + result.data.expires_in * 1000 };
}

function signAssertion(account: ServiceAccount, nowSeconds: number): string {
  const header = {
    alg: 'RS256',
    typ: 'JWT',
    ...(account.private_key_id ? { kid: account.private_key_id } : {}),
  };
  const claims = {
    iss: account.client_email,
    scope: SCOPE,
    aud: account.token_uri,
    iat: nowSeconds,
    exp: nowSeconds + ASSERTION_LIFE_SECONDS,
  };
  const unsigned = [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  try {
    const signature = sign('RSA-SHA256', Buffer.from(unsigned), createPrivateKey(account.private_key));
    return `${unsigned}.${signature.toString('base64url')}`;
  } catch {
    // Neither the key nor OpenSSL's words about it may stand in an error.
    throw unusableKey('private_key is not a private RSA key in PEM');
  }
}

function unusableKey(why: string): ProviderError {
  return new ProviderError('PROVIDER_AUTHENTICATION', `The service account key cannot be used: ${why}.`);
}

/** A refused assertion is `400 invalid_grant`: the key is deleted, disabled, or not yet valid. */
function faultOfTokenAnswer(response: UpstreamResponse, text: string, target: ProviderTarget): ProviderError {
  const { message, providerCode, json } = errorText(text);
  const fields = json as { error?: unknown; error_description?: unknown } | undefined;
  const described = [fields?.error, fields?.error_description]
    .filter((words) => typeof words === 'string')
    .join(': ');
  return faultOfStatus(response.status, response.headers, {
    message: withoutSecret(`Google gave no access token: ${described || message}`, target.secret),
    ...(typeof fields?.error === 'string'
      ? { providerCode: fields.error }
      : providerCode
        ? { providerCode }
        : {}),
    ...(response.status === 400 ? { code: 'PROVIDER_AUTHENTICATION' as const } : {}),
  });
}
