// Owns the closed set of error codes, and the three error classes that cross a border.
import { boundedText } from './text.ts';

/** Every code that a client can meet in `extensions.code`, beside those of Apollo itself. */
const ERROR_CODES = [
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'NOT_FOUND',
  'BAD_USER_INPUT',
  'CONFLICT',
  'MODEL_NOT_FOUND',
  'MODEL_UNAVAILABLE',
  'CAPABILITY_MISSING',
  'CONTEXT_LENGTH_EXCEEDED',
  'INSUFFICIENT_FUNDS',
  'UNPRICED_MODEL',
  'RATE_LIMITED',
  'PROVIDER_AUTHENTICATION',
  'PROVIDER_RATE_LIMITED',
  'PROVIDER_TIMEOUT',
  'PROVIDER_INVALID_REQUEST',
  'PROVIDER_CONTENT_FILTERED',
  'PROVIDER_UNAVAILABLE',
  'PROVIDER_PROTOCOL',
  'STORAGE_UNAVAILABLE',
  'EVENTS_EXPIRED',
  'NODE_BUSY',
  'NODE_DRAINING',
  'NODE_LOST',
  'QUERY_TOO_COMPLEX',
  'CANCELLED',
  'INTERNAL',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** The codes that an adapter may raise. */
export type ProviderErrorCode = Extract<
  ErrorCode,
  | 'PROVIDER_AUTHENTICATION'
  | 'PROVIDER_RATE_LIMITED'
  | 'PROVIDER_TIMEOUT'
  | 'PROVIDER_INVALID_REQUEST'
  | 'PROVIDER_CONTENT_FILTERED'
  | 'PROVIDER_UNAVAILABLE'
  | 'PROVIDER_PROTOCOL'
  | 'CONTEXT_LENGTH_EXCEEDED'
  | 'MODEL_UNAVAILABLE'
  | 'CAPABILITY_MISSING'
  | 'CANCELLED'
>;

/** Whether a fault of this code usually passes by itself: the default for adapters whose provider does not say. */
export const USUALLY_TRANSIENT: Readonly<Record<ProviderErrorCode, boolean>> = {
  PROVIDER_AUTHENTICATION: false,
  PROVIDER_RATE_LIMITED: true,
  PROVIDER_TIMEOUT: true,
  PROVIDER_INVALID_REQUEST: false,
  PROVIDER_CONTENT_FILTERED: false,
  PROVIDER_UNAVAILABLE: true,
  PROVIDER_PROTOCOL: false,
  CONTEXT_LENGTH_EXCEEDED: false,
  MODEL_UNAVAILABLE: false,
  CAPABILITY_MISSING: false,
  CANCELLED: false,
};

/** One of several faults of an input: where it lies (path steps joined by dots), what is wrong and what would be right. */
export interface InputProblem {
  readonly path: string;
  readonly message: string;
  readonly code: ErrorCode;
}

export interface GatewayErrorDetails {
  readonly cause?: unknown;
  /** Where in the input the fault lies, e.g. `messages[2].role`. */
  readonly path?: string;
  readonly retryAfterMs?: number;
  /** Further `extensions` entries; plain JSON without secrets. */
  readonly extensions?: Readonly<Record<string, unknown>>;
  /** Every fault of the input, where more than one was found; the error's own message tells of the first. */
  readonly problems?: readonly InputProblem[];
}

/** What a service raises: a code, words for the caller, and the cause for the log. */
export class GatewayError extends Error {
  override readonly name = 'GatewayError';
  readonly code: ErrorCode;
  readonly path: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly extensions: Readonly<Record<string, unknown>>;
  readonly problems: readonly InputProblem[] | undefined;

  constructor(code: ErrorCode, message: string, details: GatewayErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.path = details.path;
    this.retryAfterMs = details.retryAfterMs;
    this.extensions = details.extensions ?? {};
    this.problems = details.problems;
  }
}

export interface ProviderErrorDetails {
  readonly cause?: unknown;
  /** HTTP status of the provider's answer, if there was one. */
  readonly status?: number;
  /** How long the provider asked us to wait. */
  readonly retryAfterMs?: number;
  /** The provider's own id of the request, for its support desk. */
  readonly providerRequestId?: string;
  /** The provider's own error code or type, verbatim. */
  readonly providerCode?: string;
  /** Whether the fault came before the answer's headers, before its first content, or within it. */
  readonly phase?: 'connect' | 'headers' | 'stream';
  /** True if the same request may succeed at the same instance a little later. */
  readonly transient?: boolean;
  /** Set where no answer came because of the connection itself: its certificate, or that it could not be made or kept. */
  readonly transport?: 'certificate' | 'connection';
}

const MAX_MESSAGE_LENGTH = 4_000;
const MAX_NAME_LENGTH = 256;
const MAX_INT = 2_147_483_647;

/**
 * What an adapter raises: one attempt at one provider failed. The message is the provider's own where it gave one. Providers choose these texts and
 * numbers, so this class bounds and cleans them all: an error can always be stored and shown.
 */
export class ProviderError extends Error {
  override readonly name = 'ProviderError';
  readonly code: ProviderErrorCode;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;
  readonly providerRequestId: string | undefined;
  readonly providerCode: string | undefined;
  readonly phase: 'connect' | 'headers' | 'stream' | undefined;
  readonly transient: boolean;
  readonly transport: 'certificate' | 'connection' | undefined;

  constructor(code: ProviderErrorCode, message: string, details: ProviderErrorDetails = {}) {
    super(
      boundedText(message, MAX_MESSAGE_LENGTH),
      details.cause === undefined ? undefined : { cause: details.cause },
    );
    this.code = code;
    this.status = boundedNumber(details.status);
    this.retryAfterMs = boundedNumber(details.retryAfterMs);
    this.providerRequestId = boundedName(details.providerRequestId);
    this.providerCode = boundedName(details.providerCode);
    this.phase = details.phase;
    this.transient = details.transient ?? false;
    this.transport = details.transport;
  }
}

function boundedName(text: string | undefined): string | undefined {
  return text === undefined ? undefined : boundedText(text, MAX_NAME_LENGTH);
}

function boundedNumber(value: number | undefined): number | undefined {
  return value === undefined || !(value >= 0) ? undefined : Math.min(Math.ceil(value), MAX_INT);
}

/**
 * What storage raises: `unavailable` (no connection, no pool slot, time limit), `conflict` (a constraint said no), or `invalid` (a value
 * that cannot be stored).
 */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly kind: 'unavailable' | 'conflict' | 'invalid' | 'fault';
  /** Name of the constraint that refused the write, if one did. */
  readonly constraint: string | undefined;

  constructor(
    kind: 'unavailable' | 'conflict' | 'invalid' | 'fault',
    message: string,
    details: { readonly cause?: unknown; readonly constraint?: string } = {},
  ) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = kind;
    this.constraint = details.constraint;
  }
}

/** The state that nodes share (Redis) does not answer now; work that needs only this node's memory goes on. */
export class SharedStateUnavailable extends Error {
  override readonly name: string = 'SharedStateUnavailable';
}

/** The reason why the process cannot start, in words for its operator: it is shown without a stack. */
export class StartError extends Error {
  override readonly name: string = 'StartError';
}
