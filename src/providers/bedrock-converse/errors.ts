// Owns the meaning of Bedrock's faults: HTTP answers, exception or error frames within a stream, and breaks of the protocol.
import { ProviderError, type ProviderErrorCode } from '../../kernel/errors.ts';
import { isJsonObject } from '../../kernel/json.ts';
import type { Secret } from '../../kernel/secret.ts';
import type { UpstreamResponse } from '../contract/http.ts';
import { errorText, faultOfRedirect, faultOfStatus, withoutSecret } from '../shared/answer-faults.ts';
import type { EventFrame } from './wire.ts';

interface Meaning {
  /** The status of this type over HTTP; a frame has none. */
  readonly status: number;
  readonly code?: ProviderErrorCode;
  readonly transient?: boolean;
}

/** https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  ValidationException: { status: 400 },
  AccessDeniedException: { status: 403 },
  UnrecognizedClientException: { status: 403, code: 'PROVIDER_AUTHENTICATION' },
  InvalidClientTokenId: { status: 403, code: 'PROVIDER_AUTHENTICATION' },
  ExpiredTokenException: { status: 403, code: 'PROVIDER_AUTHENTICATION' },
  InvalidSignatureException: { status: 403, code: 'PROVIDER_AUTHENTICATION' },
  IncompleteSignatureException: { status: 400, code: 'PROVIDER_AUTHENTICATION' },
  MissingAuthenticationTokenException: { status: 403, code: 'PROVIDER_AUTHENTICATION' },
  ResourceNotFoundException: { status: 404, code: 'MODEL_UNAVAILABLE' },
  ModelTimeoutException: { status: 408 },
  ModelErrorException: { status: 424 },
  ModelStreamErrorException: { status: 424 },
  ThrottlingException: { status: 429 },
  // The model is being loaded, so this is not a limit of the caller.
  ModelNotReadyException: { status: 429, code: 'PROVIDER_UNAVAILABLE', transient: true },
  // A quota for the day or the account does not come back within moments.
  ServiceQuotaExceededException: { status: 400, code: 'PROVIDER_RATE_LIMITED', transient: false },
  InternalServerException: { status: 500 },
  ServiceUnavailableException: { status: 503 },
};

const TOO_LONG =
  /(?:input|prompt) is too long|input tokens? exceed|exceeds? (?:the |the model's )?(?:maximum |max )?(?:number of (?:input )?tokens|context (?:length|window|limit))|too many (?:input )?tokens in|maximum context length/i;
const NO_MODEL =
  /model identifier is invalid|on-demand throughput isn.?t supported|access to the model|model access is denied|end of its life|could not resolve the foundation model|model (?:id )?(?:isn.?t|is not) (?:supported|available) in|inference profile .{0,200}(?:not found|doesn.?t exist)/i;

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
  const { message, json } = errorText(body);
  const named =
    isJsonObject(json) && typeof json.__type === 'string' ? json.__type.split('#').at(-1) : undefined;
  const words = isJsonObject(json) && typeof json.Message === 'string' ? json.Message : message;
  const type = headers['x-amzn-errortype']?.split(':')[0] ?? named;
  return faultOf(words, type, { status, headers, secret, phase: 'headers' });
}

/** The service sends exceptions (`throttlingException`), the connection sends errors (`:error-code`). */
export function faultOfFrame(
  frame: EventFrame,
  headers: UpstreamResponse['headers'],
  secret: Secret | undefined,
): ProviderError {
  const type = frame.headers[':exception-type'] ?? frame.headers[':error-code'] ?? '';
  const { message } = errorText(frame.payload);
  const words = message || (frame.headers[':error-message'] ?? '');
  const named = type.charAt(0).toUpperCase() + type.slice(1);
  return faultOf(words, named, { headers, secret, phase: 'stream' });
}

interface FaultContext {
  /** Absent within a stream. */
  readonly status?: number;
  readonly headers: UpstreamResponse['headers'];
  readonly secret: Secret | undefined;
  readonly phase: 'headers' | 'stream';
}

function faultOf(
  message: string,
  type: string | undefined,
  { status, headers, secret, phase }: FaultContext,
): ProviderError {
  const meaning = MEANINGS[type ?? ''];
  const code = codeInWords(message) ?? meaning?.code;
  return faultOfStatus(status ?? meaning?.status ?? 500, headers, {
    message: withoutSecret(message || type || '', secret),
    phase,
    ...(type ? { providerCode: type } : {}),
    ...(code ? { code } : {}),
    ...(meaning?.transient === undefined ? {} : { transient: meaning.transient }),
  });
}

/** A ValidationException may mean anything from a wrong field to a model that does not exist. */
function codeInWords(message: string): ProviderErrorCode | undefined {
  if (TOO_LONG.test(message)) return 'CONTEXT_LENGTH_EXCEEDED';
  return NO_MODEL.test(message) ? 'MODEL_UNAVAILABLE' : undefined;
}
