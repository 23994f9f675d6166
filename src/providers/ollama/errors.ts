// Owns the meaning of Ollama's errors, which consist of little more than a message.
import { ProviderError, type ProviderErrorCode, USUALLY_TRANSIENT } from '../../kernel/errors.ts';
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
  const { message } = errorText(body);
  const code = codeOf(message);
  return faultOfStatus(status, headers, {
    message: withoutSecret(message, secret),
    ...(code === undefined ? {} : { code }),
  });
}

/** The fault that a line of a stream tells; the answer has status 200 then. */
export function faultOfLine(message: string): ProviderError {
  const code = codeOf(message) ?? 'PROVIDER_UNAVAILABLE';
  return new ProviderError(code, message || 'Ollama reported a fault within its answer.', {
    status: 200,
    phase: 'stream',
    transient: USUALLY_TRANSIENT[code],
  });
}

const WORDS: readonly (readonly [RegExp, ProviderErrorCode])[] = [
  [/does not support (thinking|think|tools|chat|images|vision|generate|insert)/i, 'CAPABILITY_MISSING'],
  [/(exceeds?|longer than|larger than) .*context|context (length|window|size)/i, 'CONTEXT_LENGTH_EXCEEDED'],
  [/model .*not found|try pulling it first/i, 'MODEL_UNAVAILABLE'],
  [/unauthorized/i, 'PROVIDER_AUTHENTICATION'],
];

function codeOf(message: string): ProviderErrorCode | undefined {
  return WORDS.find(([pattern]) => pattern.test(message))?.[1];
}
