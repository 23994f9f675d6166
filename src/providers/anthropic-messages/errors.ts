// Owns the meaning of faults of the Messages protocol: HTTP answers, events within a stream, and breaks of the protocol.
import { ProviderError, type ProviderErrorCode } from '../../kernel/errors.ts';
import { isJsonObject } from '../../kernel/json.ts';
import type { Secret } from '../../kernel/secret.ts';
import type { UpstreamResponse } from '../contract/http.ts';
import { errorText, faultOfRedirect, faultOfStatus, withoutSecret } from '../shared/answer-faults.ts';
import type { WireError } from './wire.ts';

/** The HTTP status of each type of error; an event within a stream has the type only. */
const STATUS_OF_TYPE: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  conflict_error: 409,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  timeout_error: 504,
  overloaded_error: 529,
};

const TOO_LONG =
  /prompt is too long|exceeds? (?:the )?(?:model's )?(?:maximum )?context (?:limit|window|length)|exceed context limit/i;
const NO_MONEY = /credit balance is too low|reached your specified (?:workspace )?API usage limits/i;

/** The fault that an answer with a status other than 200 stands for. Reads its body. */
export async function faultOfAnswer(
  response: UpstreamResponse,
  secret: Secret | undefined,
): Promise<ProviderError> {
  const { status, headers } = response;
  const body = await response.text();
  return status >= 300 && status < 400
    ? faultOfRedirect(status, headers)
    : faultOfBody(response, body, secret);
}

export function faultOfBody(
  { status, headers }: Pick<UpstreamResponse, 'status' | 'headers'>,
  body: string,
  secret: Secret | undefined,
): ProviderError {
  const { message, providerCode, json } = errorText(body);
  const requestId = isJsonObject(json) ? json.request_id : undefined;
  const code = meaningOf(message);
  return faultOfStatus(status, headers, {
    message: withoutSecret(message, secret),
    ...(providerCode === undefined ? {} : { providerCode }),
    ...(typeof requestId === 'string' ? { providerRequestId: requestId } : {}),
    ...(code ? { code } : {}),
  });
}

export function faultOfEvent(
  event: WireError,
  headers: UpstreamResponse['headers'],
  secret: Secret | undefined,
): ProviderError {
  const type = event.error.type ?? 'error';
  const message = event.error.message || type;
  const code = meaningOf(message);
  return faultOfStatus(STATUS_OF_TYPE[type] ?? 500, headers, {
    message: withoutSecret(message, secret),
    providerCode: type,
    phase: 'stream',
    ...(event.request_id ? { providerRequestId: event.request_id } : {}),
    ...(code ? { code } : {}),
  });
}

/** The meaning of the message beyond the status: both of these faults come as 400. */
function meaningOf(message: string): ProviderErrorCode | undefined {
  if (TOO_LONG.test(message)) return 'CONTEXT_LENGTH_EXCEEDED';
  return NO_MONEY.test(message) ? 'PROVIDER_AUTHENTICATION' : undefined;
}
