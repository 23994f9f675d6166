// Owns what the client raises: the gateway's own code and words, or what kept it from being reached.

export interface ClientErrorDetails {
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

/** `code` is one of the gateway's error codes, or `UNREACHABLE` if no connection came about for too long. */
export class ModelgraphError extends Error {
  override readonly name = 'ModelgraphError';
  readonly code: string;
  readonly retryAfterMs: number | undefined;

  constructor(code: string, message: string, details: ClientErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** The connection is gone, or this node cannot serve now: the same may well work a little later, or on another node. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
  readonly retryAfterMs: number | undefined;
  /** It was given up because nothing came. */
  readonly isSilent: boolean;

  constructor(message: string, details: ClientErrorDetails & { readonly isSilent?: boolean } = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.retryAfterMs = details.retryAfterMs;
    this.isSilent = details.isSilent ?? false;
  }
}

interface WireError {
  readonly message: string;
  readonly extensions?: { readonly code?: unknown; readonly retryAfterMs?: unknown } | undefined;
}

/** Outages of the gateway: a run is not harmed by them, and asking again is right. */
const PASSING = new Set(['NODE_BUSY', 'NODE_DRAINING', 'STORAGE_UNAVAILABLE']);

/** The first of the errors that the gateway answered with. */
export function errorOf(errors: readonly WireError[]): Error {
  const [{ message, extensions }] = errors as readonly [WireError];
  const code = typeof extensions?.code === 'string' ? extensions.code : 'INTERNAL';
  const retryAfterMs = typeof extensions?.retryAfterMs === 'number' ? extensions.retryAfterMs : undefined;
  return PASSING.has(code)
    ? new ConnectionLost(message, { retryAfterMs })
    : new ModelgraphError(code, message, { retryAfterMs });
}
