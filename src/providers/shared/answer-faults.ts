// Owns what all adapters share to turn an HTTP error answer into a ProviderError.
import { ProviderError, type ProviderErrorCode, USUALLY_TRANSIENT } from '../../kernel/errors.ts';
import { isJsonObject, type JsonValue, parseJson } from '../../kernel/json.ts';
import type { Secret } from '../../kernel/secret.ts';
import type { UpstreamResponse } from '../contract/http.ts';
import { retryAfterMs } from './retry-after.ts';

type Headers = UpstreamResponse['headers'];

export interface AnswerFault {
  readonly message: string;
  /** The provider's own error code or type, verbatim. */
  readonly providerCode?: string;
  /** Set if the body tells it; otherwise the headers are read. */
  readonly providerRequestId?: string;
  /** Set if the body tells it; otherwise the headers are read. */
  readonly retryAfterMs?: number;
  /** The meaning of the body, if it says more than the status. */
  readonly code?: ProviderErrorCode;
  readonly transient?: boolean;
  readonly phase?: 'headers' | 'stream';
  readonly cause?: unknown;
}

interface Meaning {
  readonly code: ProviderErrorCode;
  readonly transient: boolean;
}

const MEANINGS: Readonly<Record<number, Meaning>> = {
  401: { code: 'PROVIDER_AUTHENTICATION', transient: false },
  // The account lacks money: its owner has to act, as with a bad key. If the provider names a time to wait, it is a quota instead (OpenRouter).
  402: { code: 'PROVIDER_AUTHENTICATION', transient: false },
  403: { code: 'PROVIDER_AUTHENTICATION', transient: false },
  404: { code: 'MODEL_UNAVAILABLE', transient: false },
  408: { code: 'PROVIDER_TIMEOUT', transient: true },
  409: { code: 'PROVIDER_UNAVAILABLE', transient: true },
  410: { code: 'MODEL_UNAVAILABLE', transient: false },
  424: { code: 'PROVIDER_UNAVAILABLE', transient: true },
  425: { code: 'PROVIDER_UNAVAILABLE', transient: true },
  429: { code: 'PROVIDER_RATE_LIMITED', transient: true },
  // Groq uses this status if its flexible tier has no capacity.
  498: { code: 'PROVIDER_UNAVAILABLE', transient: true },
  499: { code: 'PROVIDER_UNAVAILABLE', transient: true },
  501: { code: 'PROVIDER_INVALID_REQUEST', transient: false },
  504: { code: 'PROVIDER_TIMEOUT', transient: true },
  524: { code: 'PROVIDER_TIMEOUT', transient: true },
};

/** The fault that an answer with this status stands for; the facts of the body in `fault` take precedence over the status. */
export function faultOfStatus(
  status: number,
  headers: Headers,
  fault: AnswerFault,
  nowMs = Date.now(),
): ProviderError {
  const meaning = meaningOf(status, headers);
  const code = fault.code ?? meaning.code;
  const ownTransient = code === meaning.code ? meaning.transient : USUALLY_TRANSIENT[code];
  const limited = code === 'PROVIDER_RATE_LIMITED' || status === 503 || status === 529;
  const waitMs =
    fault.retryAfterMs ?? (limited || headers['retry-after'] ? retryAfterMs(headers, nowMs) : undefined);
  const requestId = fault.providerRequestId ?? providerRequestId(headers);
  return new ProviderError(code, fault.message || `The provider answered with status ${status}.`, {
    status,
    phase: fault.phase ?? 'headers',
    transient: fault.transient ?? toldToRetry(headers) ?? ownTransient,
    ...(fault.cause === undefined ? {} : { cause: fault.cause }),
    ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
    ...(requestId === undefined ? {} : { providerRequestId: requestId }),
    ...(fault.providerCode === undefined ? {} : { providerCode: fault.providerCode }),
  });
}

function meaningOf(status: number, headers: Headers): Meaning {
  if (status === 402 && headers['retry-after']) return { code: 'PROVIDER_RATE_LIMITED', transient: true };
  const known = MEANINGS[status];
  if (known) return known;
  if (status >= 500) return { code: 'PROVIDER_UNAVAILABLE', transient: true };
  if (status >= 400) return { code: 'PROVIDER_INVALID_REQUEST', transient: false };
  if (status >= 300) return { code: 'PROVIDER_UNAVAILABLE', transient: false };
  return { code: 'PROVIDER_PROTOCOL', transient: false };
}

/** https://github.com/openai/openai-node and Anthropic's SDK follow this header rather than the status. */
function toldToRetry(headers: Headers): boolean | undefined {
  const told = headers['x-should-retry'];
  return told === 'true' ? true : told === 'false' ? false : undefined;
}

/** A redirect is never followed, because the credential would be sent to an address that nobody has configured. */
export function faultOfRedirect(status: number, headers: Headers): ProviderError {
  const location = headers.location ?? '';
  const host = URL.canParse(location) ? new URL(location).host : location || 'nowhere';
  return faultOfStatus(status, headers, {
    message: `The provider redirects to ${host}, which is not followed: check the base URL.`,
  });
}

const REQUEST_ID_HEADERS = [
  'x-request-id',
  'request-id',
  'apim-request-id',
  'x-amzn-requestid',
  'mistral-correlation-id',
  'x-ds-trace-id',
  'x-debug-trace-id',
  'x-generation-id',
  'x-kong-request-id',
  'x-ms-client-request-id',
  'cf-ray',
] as const;

export function providerRequestId(headers: Headers): string | undefined {
  for (const name of REQUEST_ID_HEADERS) if (headers[name]) return headers[name];
  return undefined;
}

/** The fault of a provider that breaks its protocol; another try may succeed. */
export function protocolFault(message: string, cause?: unknown): ProviderError {
  return new ProviderError('PROVIDER_PROTOCOL', message, {
    phase: 'stream',
    transient: true,
    ...(cause === undefined ? {} : { cause }),
  });
}

export interface ErrorText {
  /** The provider's message; empty if there is none. */
  readonly message: string;
  /** The provider's code or type. */
  readonly providerCode?: string;
  /** The whole body, if it is JSON. */
  readonly json?: JsonValue;
}

const MAX_MESSAGE_CHARS = 2000;
const HTML_TITLE = /<title[^>]*>([\s\S]*?)<\/title>/i;

/** The message of an error body, whatever its content type says: from JSON in any of the usual shapes, an HTML title, or bounded raw text. */
export function errorText(body: string): ErrorText {
  const json = parseJson(body);
  if (json !== undefined && typeof json === 'object') {
    const providerCode = codeWithin(json);
    return {
      message: bounded(wordsWithin(json) ?? body),
      json,
      ...(providerCode === undefined ? {} : { providerCode }),
    };
  }
  const title = HTML_TITLE.exec(body)?.[1];
  return { message: bounded(title?.trim() || (body.trimStart().startsWith('<') ? '' : body)) };
}

/** Fields in which servers put their message, the more informative ones first. */
const WORD_NAMES = ['message', 'error_message', 'msg', 'detail', 'error', 'errors', 'title'] as const;

function wordsWithin(json: JsonValue | undefined, depth = 0): string | undefined {
  if (typeof json === 'string') return json.trim() || undefined;
  if (depth > 4 || typeof json !== 'object' || json === null) return undefined;
  if (!isJsonObject(json)) {
    const all = (json as readonly JsonValue[]).map((entry) => wordsWithin(entry, depth + 1));
    return all.filter((words) => words !== undefined).join('; ') || undefined;
  }
  if (isJsonObject(json.error)) {
    const words = wordsWithin(json.error, depth + 1);
    if (words !== undefined) return words;
  }
  for (const name of WORD_NAMES) {
    const words = wordsWithin(json[name], depth + 1);
    if (words !== undefined) return withPlace(words, json.loc);
  }
  return undefined;
}

/** Adds the place of a fault, which FastAPI servers tell beside their message. */
function withPlace(words: string, place: JsonValue | undefined): string {
  return Array.isArray(place) ? `${place.join('.')}: ${words}` : words;
}

function codeWithin(json: JsonValue): string | undefined {
  if (!isJsonObject(json)) return undefined;
  const inner = isJsonObject(json.error) ? json.error : json;
  for (const code of [inner.code, inner.type, json.code, json.error_type]) {
    if (typeof code === 'string' && code !== '') return code;
    if (typeof code === 'number') return String(code);
  }
  return undefined;
}

function bounded(text: string): string {
  const trimmed = text.trim();
  return trimmed.length > MAX_MESSAGE_CHARS ? `${trimmed.slice(0, MAX_MESSAGE_CHARS)}…` : trimmed;
}

/** Some servers repeat the key that they refuse; it must not get into an error or a log. */
export function withoutSecret(message: string, secret: Secret | undefined): string {
  const text = secret?.reveal();
  return text && text.length >= 4 ? message.replaceAll(text, '[secret]') : message;
}
