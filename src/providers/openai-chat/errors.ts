// Owns the meaning of the compatible family's errors: HTTP error answers, errors within a 200, and errors in mid-stream.
import type { ProviderError, ProviderErrorCode } from '../../kernel/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import type { Secret } from '../../kernel/secret.ts';
import type { UpstreamResponse } from '../contract/http.ts';
import {
  type ErrorText,
  errorText,
  faultOfRedirect,
  faultOfStatus,
  withoutSecret,
} from '../shared/answer-faults.ts';

/** The facts that an error is read with. */
export interface FaultContext {
  readonly status: number;
  readonly headers: UpstreamResponse['headers'];
  readonly secret: Secret | undefined;
}

export async function faultOfAnswer(response: UpstreamResponse, secret?: Secret): Promise<ProviderError> {
  const { status, headers } = response;
  const body = await response.text(1024 * 1024);
  if (status >= 300 && status < 400) return faultOfRedirect(status, headers);
  return faultOfText(body, { status, headers, secret }, 'headers');
}

/** An error body, or the error that came in place of an answer. */
export function faultOfText(body: string, context: FaultContext, phase: 'headers' | 'stream'): ProviderError {
  const text = errorText(body);
  const json = isJsonObject(text.json) ? text.json : {};
  const inner = isJsonObject(json.error) ? json.error : json;
  const status = (context.status < 400 && toldStatus(json, inner)) || context.status;
  const meaning = meaningOf(signalsOf(json, inner, text, status));
  // An error within a 200 that has no status of its own is treated as a fault of the server.
  const known = status >= 400 ? undefined : { code: 'PROVIDER_UNAVAILABLE' as const, transient: true };
  return faultOfStatus(status, context.headers, {
    message: withoutSecret(withUpstreamWords(text.message, inner), context.secret),
    phase,
    ...(text.providerCode === undefined ? {} : { providerCode: text.providerCode }),
    ...(meaning ?? known),
  });
}

/** An error value that was found within an answer; a plain string too. */
export function faultOfValue(
  value: unknown,
  context: FaultContext,
  phase: 'headers' | 'stream',
): ProviderError {
  return faultOfText(typeof value === 'string' ? value : JSON.stringify(value), context, phase);
}

/** The real status, which gateways put into the body of a 200. */
function toldStatus(json: JsonObject, inner: JsonObject): number | undefined {
  for (const value of [
    inner.status_code,
    inner.code,
    inner.status,
    json.status_code,
    json.code,
    json.status,
    json.raw_status_code,
  ]) {
    const status = typeof value === 'string' ? Number(value) : value;
    if (typeof status === 'number' && Number.isInteger(status) && status >= 400 && status < 600)
      return status;
  }
  return undefined;
}

interface Signals {
  readonly status: number;
  readonly codes: ReadonlySet<string>;
  readonly message: string;
  readonly moderated: boolean;
}

function signalsOf(json: JsonObject, inner: JsonObject, text: ErrorText, status: number): Signals {
  const nested = isJsonObject(inner.innererror) ? inner.innererror : {};
  const metadata = isJsonObject(inner.metadata) ? inner.metadata : {};
  const codes = [
    inner.code,
    inner.type,
    json.code,
    json.type,
    json.error_type,
    nested.code,
    text.providerCode,
  ];
  return {
    status,
    codes: new Set(codes.filter((code) => typeof code === 'string').map((code) => code.toLowerCase())),
    message: text.message,
    moderated: metadata.flagged_input !== undefined || Array.isArray(metadata.reasons),
  };
}

interface Meaning {
  readonly code: ProviderErrorCode;
  readonly transient: boolean;
}

const CODES: ReadonlyMap<string, Meaning> = new Map([
  ...meaning(
    'CONTEXT_LENGTH_EXCEEDED',
    false,
    'context_length_exceeded',
    'too_many_prompt_tokens',
    'exceed_context_size_error',
  ),
  ...meaning(
    'PROVIDER_CONTENT_FILTERED',
    false,
    'content_filter',
    'content_policy_violation',
    'responsibleaipolicyviolation',
    'data_inspection_failed',
    'moderation_blocked',
  ),
  // The quota is used up, or the account has no money: waiting does not help.
  ...meaning(
    'PROVIDER_RATE_LIMITED',
    false,
    'insufficient_quota',
    'billing_hard_limit_reached',
    'insufficient_balance',
    'billing_not_active',
  ),
  ...meaning(
    'MODEL_UNAVAILABLE',
    false,
    'model_not_found',
    'model_not_available',
    'unknown_model',
    'deploymentnotfound',
    'model_not_supported',
    'invalid_model',
  ),
  ...meaning(
    'PROVIDER_AUTHENTICATION',
    false,
    'invalid_api_key',
    'authentication_error',
    'invalid_authentication_error',
  ),
  ...meaning('PROVIDER_RATE_LIMITED', true, 'rate_limit_exceeded', 'rate_limit_error', 'too_many_requests'),
  ...meaning(
    'PROVIDER_UNAVAILABLE',
    true,
    'server_error',
    'internal_server_error',
    'overloaded_error',
    'engine_overloaded',
    'service_unavailable',
    'capacity_exceeded',
  ),
  // Groq: the model wrote a call that does not fit the tool; another try may succeed.
  ...meaning('PROVIDER_INVALID_REQUEST', true, 'tool_use_failed'),
]);

function meaning(code: ProviderErrorCode, transient: boolean, ...words: string[]): [string, Meaning][] {
  return words.map((word) => [word, { code, transient }]);
}

const CONTEXT_TEXT =
  /maximum context length|context (?:length|window|size)|max(?:imum)? (?:input|prompt) (?:length|tokens)|(?:prompt|input) (?:is )?too long|total length of all messages is too long|too many (?:input |prompt )?tokens/i;
const BAD_KEY_TEXT = /(?:incorrect|invalid) api key/i;
const FILTER_TEXT = /content (?:management|safety) policy|content filter/i;

function meaningOf({ status, codes, message, moderated }: Signals): Meaning | undefined {
  for (const code of codes) {
    const known = CODES.get(code);
    if (known) return known;
  }
  if (moderated) return { code: 'PROVIDER_CONTENT_FILTERED', transient: false };
  // Errors about tokens per minute mention tokens too, so those statuses are excluded. Servers use 400, 413, 422 or 500 for a prompt that does not fit.
  if (status !== 429 && status !== 401 && CONTEXT_TEXT.test(message)) {
    return { code: 'CONTEXT_LENGTH_EXCEEDED', transient: false };
  }
  if (status === 400 && BAD_KEY_TEXT.test(message))
    return { code: 'PROVIDER_AUTHENTICATION', transient: false };
  if (status === 400 && FILTER_TEXT.test(message))
    return { code: 'PROVIDER_CONTENT_FILTERED', transient: false };
  return undefined;
}

/** A gateway's message often says only that its provider failed; that provider's own message stands in `metadata.raw`. */
function withUpstreamWords(message: string, inner: JsonObject): string {
  const raw = isJsonObject(inner.metadata) ? inner.metadata.raw : undefined;
  if (raw === undefined || raw === null) return message;
  const words = errorText(typeof raw === 'string' ? raw : JSON.stringify(raw)).message;
  return words === '' || message.includes(words) ? message : `${message}: ${words}`;
}

/** The error of a chunk or a JSON answer, if it is one or holds one. */
export function errorWithin(chunk: JsonObject): JsonValue | undefined {
  if (chunk.error) return chunk;
  const groq = isJsonObject(chunk.x_groq) ? chunk.x_groq.error : undefined;
  if (groq) return { error: groq };
  if (Array.isArray(chunk.choices) || chunk.usage !== undefined) return undefined;
  const flat = chunk.object === 'error' || typeof chunk.message === 'string' || chunk.detail !== undefined;
  return flat ? chunk : undefined;
}
