// Owns what the Responses API's error codes mean, in an HTTP answer and in a stream.
import { ProviderError, type ProviderErrorCode, USUALLY_TRANSIENT } from '../../kernel/errors.ts';
import type { Secret } from '../../kernel/secret.ts';
import type { UpstreamResponse } from '../contract/http.ts';
import {
  errorText,
  faultOfRedirect,
  faultOfStatus,
  providerRequestId,
  withoutSecret,
} from '../shared/answer-faults.ts';
import type { WireFault } from './wire.ts';

interface Meaning {
  readonly code: ProviderErrorCode;
  readonly transient?: boolean;
}

const MEANINGS: Readonly<Record<string, Meaning>> = {
  context_length_exceeded: { code: 'CONTEXT_LENGTH_EXCEEDED' },
  invalid_api_key: { code: 'PROVIDER_AUTHENTICATION' },
  model_not_found: { code: 'MODEL_UNAVAILABLE' },
  rate_limit_exceeded: { code: 'PROVIDER_RATE_LIMITED' },
  // The account is used up: waiting does not help.
  insufficient_quota: { code: 'PROVIDER_RATE_LIMITED', transient: false },
  server_error: { code: 'PROVIDER_UNAVAILABLE' },
  server_is_overloaded: { code: 'PROVIDER_UNAVAILABLE' },
  slow_down: { code: 'PROVIDER_RATE_LIMITED' },
  invalid_prompt: { code: 'PROVIDER_INVALID_REQUEST' },
  content_filter: { code: 'PROVIDER_CONTENT_FILTERED' },
  content_policy_violation: { code: 'PROVIDER_CONTENT_FILTERED' },
  image_content_policy_violation: { code: 'PROVIDER_CONTENT_FILTERED' },
  bio_policy: { code: 'PROVIDER_CONTENT_FILTERED' },
  cyber_policy: { code: 'PROVIDER_CONTENT_FILTERED' },
};

const INVALID_INPUT =
  /^(invalid_|unsupported_|unknown_parameter|image_|empty_image|failed_to_download_image)/;

function meaningOf(providerCode: string | undefined): Meaning | undefined {
  if (providerCode === undefined) return undefined;
  const known = MEANINGS[providerCode];
  if (known) return known;
  return INVALID_INPUT.test(providerCode) ? { code: 'PROVIDER_INVALID_REQUEST' } : undefined;
}

/** The fault of an answer whose status is not 200. */
export async function faultOfAnswer(response: UpstreamResponse, secret?: Secret): Promise<ProviderError> {
  const { message, providerCode } = errorText(await response.text());
  if (response.status >= 300 && response.status < 400)
    return faultOfRedirect(response.status, response.headers);
  // The type, which is read if there is no code, says less than the status.
  const meaning = providerCode === 'invalid_request_error' ? undefined : meaningOf(providerCode);
  return faultOfStatus(response.status, response.headers, {
    message: withoutSecret(message, secret),
    ...(providerCode === undefined ? {} : { providerCode }),
    ...meaning,
  });
}

/** A fault told within an answer of status 200: an `error` event, or a response that failed. */
export function faultWithin(
  fault: WireFault | undefined,
  headers: UpstreamResponse['headers'],
): ProviderError {
  const providerCode = String(fault?.code ?? fault?.type ?? '') || undefined;
  const { code, transient } = meaningOf(providerCode) ?? { code: 'PROVIDER_UNAVAILABLE' as const };
  const requestId = providerRequestId(headers);
  return new ProviderError(code, fault?.message || 'The provider reported a failure without a message.', {
    status: 200,
    phase: 'stream',
    transient: transient ?? USUALLY_TRANSIENT[code],
    ...(providerCode === undefined ? {} : { providerCode }),
    ...(requestId === undefined ? {} : { providerRequestId: requestId }),
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
