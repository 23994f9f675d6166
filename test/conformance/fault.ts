// Owns what the runner expects of a fault: which codes are plausible for a status and a body, whose words, and how long to wait.
import type { ProviderErrorCode } from '../../src/kernel/errors.ts';
import { at, listAt, numberAt, parsed, textAt } from './walk.ts';

export interface ExpectedFault {
  readonly codes: readonly ProviderErrorCode[];
  /** The raised message contains one of them, if there are any. */
  readonly messages: readonly string[];
  readonly status?: number;
  /** One of them, if there are any. */
  readonly retryAfterMs: readonly number[];
}

export interface FaultSource {
  /** HTTP status of the answer if it was an HTTP error. */
  readonly status?: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The error as the provider put it: JSON, or text where it was no JSON. */
  readonly error: unknown;
  /** Further words that classify it (an event's name, a header). */
  readonly kind?: string;
}

export function expectedFault(source: FaultSource): ExpectedFault {
  return {
    codes: plausibleCodes(source),
    messages: messagesOf(source.error),
    ...(source.status === undefined ? {} : { status: source.status }),
    retryAfterMs: waits(source),
  };
}

/** Wherever one of the many dialects puts its words for a human being. */
export function messagesOf(error: unknown): string[] {
  if (typeof error === 'string') return [wordsOfText(error)].filter(Boolean);
  const unwrapped = Array.isArray(error) ? error[0] : error;
  const raw = textAt(unwrapped, 'error', 'metadata', 'raw');
  const found = [
    textAt(unwrapped, 'error', 'message'),
    textAt(unwrapped, 'error', 'error', 'message'),
    textAt(unwrapped, 'error'),
    textAt(unwrapped, 'message'),
    textAt(unwrapped, 'message', 'detail'),
    textAt(unwrapped, 'Message'),
    textAt(unwrapped, 'detail'),
    textAt(unwrapped, 'originalMessage'),
    ...listAt(unwrapped, 'detail').map((entry) => textAt(entry, 'msg')),
    ...listAt(unwrapped, 'message', 'detail').map((entry) => textAt(entry, 'msg')),
    raw,
    ...(raw ? messagesOf(parsed(raw)) : []),
  ];
  return found.filter((text) => text !== undefined && text !== '') as string[];
}

/** Of a page, as gateways and proxies answer, the title is all that can be asked for. */
function wordsOfText(text: string): string {
  if (!text.trimStart().startsWith('<')) return text.trim();
  return /<title[^>]*>([^<]*)<\/title>/i.exec(text)?.[1]?.trim() ?? '';
}

const CONTEXT =
  /context.{0,8}(length|window|limit|size)|maximum context|prompt is too long|prompt too long|too_many_prompt_tokens|too_many_tokens|too many tokens|input is too long|exceeds the maximum number of tokens|total length of all messages is too long|input length.*exceeds/i;
const FILTERED = /content_filter|content management policy|responsibleaipolicy|moderation|flagged/i;
const UNKNOWN_MODEL =
  /model_not_found|deploymentnotfound|"model: |no such model|model identifier is invalid|not_found_error.*model|model.{0,80}(does not exist|not found|is not found)|model '[^']*' not found|not a valid model|unknown model|invalid model|no endpoints found/is;
const BAD_KEY =
  /invalid.?api.?key|incorrect api key|api_key_invalid|api key not valid|authentication_error|invalid x-api-key|unrecognizedclient|invalidsignature|expiredtoken|accessdenied|missing authentication/i;
const SPENT =
  /insufficient_quota|exceeded your current quota|payment required|insufficient.{0,12}(balance|credit|funds)|credit balance/i;
const LIMITED = /rate.?limit|throttl|resource_exhausted|too many requests|too_many_requests|quota/i;
const BUSY = /overloaded|unavailable|server busy|server_error|internal|capacity|api_error/i;
const LATE = /timeout|timed out|deadline/i;

/** There is no code for an empty purse; each of these is defensible. */
const NO_MONEY: readonly ProviderErrorCode[] = [
  'PROVIDER_RATE_LIMITED',
  'PROVIDER_AUTHENTICATION',
  'PROVIDER_UNAVAILABLE',
  'PROVIDER_INVALID_REQUEST',
];

function plausibleCodes(source: FaultSource): readonly ProviderErrorCode[] {
  const words = `${JSON.stringify(source.error)} ${source.kind ?? ''}`;
  const status = source.status ?? statedStatus(source.error);
  if (/throttl/i.test(source.kind ?? '')) return ['PROVIDER_RATE_LIMITED'];
  if (/notready/i.test(source.kind ?? '')) return ['PROVIDER_RATE_LIMITED', 'PROVIDER_UNAVAILABLE'];
  if (CONTEXT.test(words) && (status === undefined || [400, 413, 422].includes(status)))
    return ['CONTEXT_LENGTH_EXCEEDED'];
  if (FILTERED.test(words) && (status === undefined || [200, 400, 403, 422].includes(status))) {
    return ['PROVIDER_CONTENT_FILTERED'];
  }
  if (UNKNOWN_MODEL.test(words) && (status === undefined || [400, 404, 422].includes(status)))
    return ['MODEL_UNAVAILABLE'];
  if (BAD_KEY.test(words) && (status === undefined || [400, 401].includes(status)))
    return ['PROVIDER_AUTHENTICATION'];
  if (SPENT.test(words)) return NO_MONEY;
  return status === undefined || status === 200 ? codesByWords(words) : codesByStatus(status, words);
}

function codesByWords(words: string): readonly ProviderErrorCode[] {
  if (LIMITED.test(words)) return ['PROVIDER_RATE_LIMITED'];
  if (LATE.test(words)) return ['PROVIDER_TIMEOUT', 'PROVIDER_UNAVAILABLE'];
  if (BUSY.test(words)) return ['PROVIDER_UNAVAILABLE', 'PROVIDER_RATE_LIMITED'];
  if (/invalid|validation|bad request|not supported|malformed/i.test(words))
    return ['PROVIDER_INVALID_REQUEST'];
  return ['PROVIDER_UNAVAILABLE', 'PROVIDER_PROTOCOL', 'PROVIDER_INVALID_REQUEST'];
}

const BY_STATUS: Readonly<Record<number, readonly ProviderErrorCode[]>> = {
  401: ['PROVIDER_AUTHENTICATION'],
  402: NO_MONEY,
  403: ['PROVIDER_AUTHENTICATION', 'MODEL_UNAVAILABLE', 'PROVIDER_INVALID_REQUEST'],
  404: ['MODEL_UNAVAILABLE', 'PROVIDER_INVALID_REQUEST'],
  408: ['PROVIDER_TIMEOUT'],
  409: ['PROVIDER_UNAVAILABLE', 'PROVIDER_INVALID_REQUEST'],
  410: ['MODEL_UNAVAILABLE'],
  413: ['CONTEXT_LENGTH_EXCEEDED', 'PROVIDER_INVALID_REQUEST'],
  424: ['PROVIDER_UNAVAILABLE', 'PROVIDER_TIMEOUT', 'PROVIDER_INVALID_REQUEST'],
  425: ['PROVIDER_UNAVAILABLE'],
  429: ['PROVIDER_RATE_LIMITED'],
  498: ['PROVIDER_UNAVAILABLE', 'PROVIDER_RATE_LIMITED', 'PROVIDER_AUTHENTICATION'],
  499: ['PROVIDER_UNAVAILABLE', 'CANCELLED'],
  501: ['PROVIDER_UNAVAILABLE', 'PROVIDER_INVALID_REQUEST'],
  504: ['PROVIDER_TIMEOUT'],
  524: ['PROVIDER_TIMEOUT'],
  529: ['PROVIDER_UNAVAILABLE', 'PROVIDER_RATE_LIMITED'],
};

function codesByStatus(status: number, words: string): readonly ProviderErrorCode[] {
  const codes = BY_STATUS[status] ?? [status >= 500 ? 'PROVIDER_UNAVAILABLE' : 'PROVIDER_INVALID_REQUEST'];
  if (status >= 500) return codes;
  if (status === 413 && LIMITED.test(words)) return [...codes, 'PROVIDER_RATE_LIMITED'];
  if (/on-demand throughput/.test(words)) return [...codes, 'MODEL_UNAVAILABLE'];
  if (/FAILED_PRECONDITION/.test(words)) return [...codes, 'PROVIDER_UNAVAILABLE', 'PROVIDER_AUTHENTICATION'];
  return /(does not|doesn't|not) support/.test(words) ? [...codes, 'CAPABILITY_MISSING'] : codes;
}

/** An error within a 200 often says which status it should have had. */
function statedStatus(error: unknown): number | undefined {
  const inner = at(error, 'error') ?? error;
  for (const name of ['status_code', 'code', 'status', 'originalStatusCode']) {
    const stated = Number(at(inner, name));
    if (stated >= 400 && stated < 600) return stated;
  }
  return undefined;
}

function waits(source: FaultSource): number[] {
  const found: number[] = [];
  const precise = Number(source.headers['retry-after-ms']);
  const header = source.headers['retry-after'];
  if (precise > 0) found.push(precise);
  if (header !== undefined && Number.isFinite(Number(header))) found.push(Math.ceil(Number(header) * 1000));
  const details = listAt(Array.isArray(source.error) ? source.error[0] : source.error, 'error', 'details');
  for (const detail of details) {
    const delay = /^([\d.]+)s$/.exec(textAt(detail, 'retryDelay') ?? '')?.[1];
    if (delay !== undefined) found.push(Math.ceil(Number(delay) * 1000));
  }
  const seconds = numberAt(source.error, 'error', 'metadata', 'retry_after_seconds');
  if (seconds !== undefined) found.push(seconds * 1000);
  return found;
}
