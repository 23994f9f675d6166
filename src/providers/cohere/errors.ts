// Owns the meaning of Cohere's error answers, and of faults at the end of its streams.
import { ProviderError, type ProviderErrorCode } from '../../kernel/errors.ts';
import { isJsonObject, type JsonValue } from '../../kernel/json.ts';
import type { Secret } from '../../kernel/secret.ts';
import type { UpstreamResponse } from '../contract/http.ts';
import { errorText, faultOfRedirect, faultOfStatus, withoutSecret } from '../shared/answer-faults.ts';

export async function faultOfAnswer(
  response: UpstreamResponse,
  secret: Secret | undefined,
): Promise<ProviderError> {
  const { status, headers } = response;
  const body = await response.text();
  if (status >= 300 && status < 400) return faultOfRedirect(status, headers);
  const { message, json } = errorText(body);
  const words = textField(json, 'message') ?? message;
  const errorType = textField(json, 'error_type');
  const requestId = textField(json, 'id');
  const code = codeOf(status, errorType, words);
  return faultOfStatus(status, headers, {
    message: withoutSecret(words, secret),
    ...(errorType === undefined ? {} : { providerCode: errorType }),
    ...(requestId === undefined ? {} : { providerRequestId: requestId }),
    ...(code === undefined ? {} : { code }),
    // A trial key's calls of the month do not come back by waiting.
    ...(status === 429 && /per month|month(ly)? limit/i.test(words) ? { transient: false } : {}),
  });
}

const TOO_LONG =
  /too many tokens|exceeds? (the )?(maximum|max) (context|input|number of tokens)|context (length|window)/i;

function codeOf(status: number, errorType: string | undefined, words: string): ProviderErrorCode | undefined {
  // Cohere uses this status for an invalid token. https://docs.cohere.com/reference/errors
  if (status === 498) return 'PROVIDER_AUTHENTICATION';
  if (status !== 400 && status !== 422) return undefined;
  if (errorType === 'TOO_MANY_TOKENS' || TOO_LONG.test(words)) return 'CONTEXT_LENGTH_EXCEEDED';
  return /invalid api (token|key)/i.test(words) ? 'PROVIDER_AUTHENTICATION' : undefined;
}

/** The fault that ended an answer, if its finish reason is one. */
export function faultOfEnd(reason: string, message: string | null | undefined): ProviderError | undefined {
  if (reason !== 'ERROR' && reason !== 'TIMEOUT' && !message) return undefined;
  const timedOut = reason === 'TIMEOUT';
  return new ProviderError(
    timedOut ? 'PROVIDER_TIMEOUT' : 'PROVIDER_UNAVAILABLE',
    message || (timedOut ? 'Cohere took too long to answer.' : 'Cohere failed within its answer.'),
    { status: 200, phase: 'stream', transient: true, providerCode: reason },
  );
}

function textField(json: JsonValue | undefined, name: string): string | undefined {
  const value = isJsonObject(json) ? json[name] : undefined;
  return typeof value === 'string' && value !== '' ? value : undefined;
}
