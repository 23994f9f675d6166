// Owns the meaning of Google's error answers: their statuses and details say more than the HTTP status does.
import { ProviderError, type ProviderErrorCode } from '../../kernel/errors.ts';
import { type JsonValue, parseJson } from '../../kernel/json.ts';
import type { Secret } from '../../kernel/secret.ts';
import type { UpstreamResponse } from '../contract/http.ts';
import { errorText, faultOfRedirect, faultOfStatus, withoutSecret } from '../shared/answer-faults.ts';
import { waitOf } from '../shared/retry-after.ts';
import { errorSchema, type GeminiError } from './wire.ts';

/** The fault that an answer with a status other than 2xx stands for. Reads its body. */
export async function faultOfAnswer(
  response: UpstreamResponse,
  secret: Secret | undefined,
): Promise<ProviderError> {
  return faultOfBody(response, await response.text(), secret);
}

export function faultOfBody(
  { status, headers }: Pick<UpstreamResponse, 'status' | 'headers'>,
  body: string,
  secret: Secret | undefined,
): ProviderError {
  if (status >= 300 && status < 400) return faultOfRedirect(status, headers);
  const { message, json } = errorText(body);
  const error = errorWithin(json);
  const words = withoutSecret(error?.message ?? message, secret);
  return faultOfStatus(status, headers, { ...(error ? meaningOf(error, status) : {}), message: words });
}

/** True if the message is Google's own, and not that of a partner whose model it serves. */
export function isGoogleError(body: string): boolean {
  return errorWithin(parseJson(body))?.status !== undefined;
}

/** The fault that an `error` object within a stream stands for. */
export function faultOfErrorInStream(error: GeminiError): ProviderError {
  const status = error.code ?? 500;
  return faultOfStatus(
    status,
    {},
    {
      ...meaningOf(error, status),
      message: error.message ?? 'Gemini reported a fault within its answer.',
      phase: 'stream',
    },
  );
}

/** The fault in plain JSON after the events of a stream, if it is one. */
export function faultOfBareJson(text: string): ProviderError | undefined {
  const error = errorWithin(parseJson(text));
  return error && faultOfErrorInStream(error);
}

export function faultOfBlockedPrompt(reason: string, message: string | undefined): ProviderError {
  return new ProviderError('PROVIDER_CONTENT_FILTERED', message ?? `Gemini refused the prompt: ${reason}.`, {
    status: 200,
    phase: 'stream',
    providerCode: reason,
  });
}

/** Google sends `{error}`, or `[{error}]` if a stream was requested. */
function errorWithin(json: JsonValue | undefined): GeminiError | undefined {
  const [first] = Array.isArray(json) ? (json as readonly JsonValue[]) : [json];
  const error = typeof first === 'object' && first !== null && 'error' in first ? first.error : undefined;
  const result = errorSchema.safeParse(error);
  return result.success ? result.data : undefined;
}

interface Meaning {
  readonly providerCode?: string;
  readonly code?: ProviderErrorCode;
  readonly transient?: boolean;
  readonly retryAfterMs?: number;
}

/** ErrorInfo reasons by which Google refuses a credential with status 400. */
const CREDENTIAL_REASONS: ReadonlySet<string> = new Set([
  'API_KEY_INVALID',
  'API_KEY_EXPIRED',
  'ACCESS_TOKEN_EXPIRED',
  'ACCESS_TOKEN_TYPE_UNSUPPORTED',
]);

const TOO_LONG =
  /token count .*exceeds|exceeds the maximum number of (input )?tokens|input context is too long/i;

function meaningOf(error: GeminiError, status: number): Meaning {
  const details = error.details ?? [];
  const reason = details.find((detail) => detail.reason !== undefined)?.reason;
  const retryDelay = details.find((detail) => detail.retryDelay !== undefined)?.retryDelay;
  const waitMs = retryDelay === undefined ? undefined : waitOf(retryDelay, 0);
  const providerCode = reason ?? error.status;
  return {
    ...(providerCode === undefined ? {} : { providerCode }),
    ...(waitMs === undefined ? {} : { retryAfterMs: waitMs }),
    ...verdictOf(error, reason, status),
    // A quota for the day does not come back within any wait that a retry would make.
    ...(status === 429 && spentForToday(error) ? { transient: false } : {}),
  };
}

function verdictOf(error: GeminiError, reason: string | undefined, status: number): Meaning {
  if (reason !== undefined && CREDENTIAL_REASONS.has(reason)) return { code: 'PROVIDER_AUTHENTICATION' };
  if (status !== 400) return {};
  if (TOO_LONG.test(error.message ?? '')) return { code: 'CONTEXT_LENGTH_EXCEEDED' };
  // The cause is the account's region or billing, not the request, so another provider may serve it.
  if (error.status === 'FAILED_PRECONDITION') return { code: 'PROVIDER_UNAVAILABLE', transient: false };
  return {};
}

function spentForToday({ details = [] }: GeminiError): boolean {
  return details.some(({ violations = [] }) => violations.some(({ quotaId }) => quotaId?.includes('PerDay')));
}
