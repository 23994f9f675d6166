// Owns the meaning of GigaChat's error answers: those of the API, of sign-in, and of the proxy before both, which answers in HTML.
import { ProviderError, type ProviderErrorCode } from '../../kernel/errors.ts';
import type { Secret } from '../../kernel/secret.ts';
import type { UpstreamResponse } from '../contract/http.ts';
import { errorText, faultOfRedirect, faultOfStatus, withoutSecret } from '../shared/answer-faults.ts';

const CONTEXT_TEXT =
  /context (?:length|window|size)|(?:prompt|input|request|messages?) (?:is |are )?too (?:long|large)|too many tokens|tokens? (?:limit|count)|(?:exceed|limit)[^.]*tokens?|tokens?[^.]*exceed|контекст|токенов/i;
const NO_FUNCTIONS_TEXT = /does not support functions/i;

/** Scope and credential: https://developers.sber.ru/docs/ru/gigachat/api/reference/rest/post-token */
const CREDENTIAL_CODES: ReadonlySet<string> = new Set(['1', '4', '5', '6', '7']);

/** The fault of an answer of the API whose status is not 200. */
export async function faultOfAnswer(response: UpstreamResponse, secret?: Secret): Promise<ProviderError> {
  const { status, headers } = response;
  const { message, providerCode } = errorText(await response.text());
  if (status >= 300 && status < 400) return faultOfRedirect(status, headers);
  const code = meaningOf(status, message);
  return faultOfStatus(status, headers, {
    message: withoutSecret(message, secret),
    ...(providerCode === undefined ? {} : { providerCode }),
    ...(code === undefined ? {} : { code }),
  });
}

function meaningOf(status: number, message: string): ProviderErrorCode | undefined {
  if (status !== 400 && status !== 413 && status !== 422) return undefined;
  if (NO_FUNCTIONS_TEXT.test(message)) return 'CAPABILITY_MISSING';
  return CONTEXT_TEXT.test(message) ? 'CONTEXT_LENGTH_EXCEEDED' : undefined;
}

/** The fault of a refused sign-in. */
export async function faultOfSignIn(response: UpstreamResponse, secret?: Secret): Promise<ProviderError> {
  const { status, headers } = response;
  const { message, providerCode } = errorText(await response.text());
  if (status >= 300 && status < 400) return faultOfRedirect(status, headers);
  const refused = status === 400 && CREDENTIAL_CODES.has(providerCode ?? '');
  return faultOfStatus(status, headers, {
    message: withoutSecret(
      message ? `Signing in failed: ${message}` : `Signing in failed (status ${status}).`,
      secret,
    ),
    ...(providerCode === undefined ? {} : { providerCode }),
    ...(refused ? { code: 'PROVIDER_AUTHENTICATION' as const } : {}),
  });
}

/** An error told within an answer of status 200. */
export function faultWithin(value: unknown, headers: UpstreamResponse['headers']): ProviderError {
  const { message, json } = errorText(JSON.stringify(value));
  const told = typeof json === 'object' && json !== null && 'status' in json ? json.status : undefined;
  const status = typeof told === 'number' && told >= 400 ? told : 500;
  const code = meaningOf(status, message);
  return faultOfStatus(status, headers, {
    message,
    phase: 'stream',
    ...(code === undefined ? {} : { code }),
  });
}

/** A page that a gateway sent in place of the answer. */
export function faultOfPage(page: string, headers: UpstreamResponse['headers']): ProviderError {
  const { message } = errorText(page);
  return faultOfStatus(200, headers, {
    code: 'PROVIDER_UNAVAILABLE',
    message: `The provider answered with a page instead of an answer: ${message || 'without a title'}.`,
  });
}
