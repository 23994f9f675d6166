// Owns the errors of the client: those that the gateway has answered with, and those of a connection that failed.

export interface ClientErrorDetails {
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

/**
 * The error that ends a stream, after which another try of the same call would fail too.
 * `code` is one of the gateway's error codes (`extensions.code`); or `UNREACHABLE` if no connection was made within `patienceMs`; or `BAD_REQUEST` if
 * the request was refused in another form than the gateway's, e.g. by a proxy. `retryAfterMs` is how long to wait before another call, if the gateway
 * has said so. `cause` is the underlying error, if there is one.
 */
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

/**
 * The connection is lost, or the node cannot serve now: the same call may succeed a little later, or on another node. The client handles this error
 * itself by connecting again.
 */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
  readonly retryAfterMs: number | undefined;
  /** True if the client gave the connection up because nothing came. */
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

/** Codes of outages of the gateway: they do not harm a run, so the client tries again. */
const PASSING = new Set(['NODE_BUSY', 'NODE_DRAINING', 'STORAGE_UNAVAILABLE']);

/** The first of the errors that the gateway has answered with. */
export function errorOf(errors: readonly WireError[]): Error {
  const [{ message, extensions }] = errors as readonly [WireError];
  const code = typeof extensions?.code === 'string' ? extensions.code : 'INTERNAL';
  const retryAfterMs = typeof extensions?.retryAfterMs === 'number' ? extensions.retryAfterMs : undefined;
  return PASSING.has(code)
    ? new ConnectionLost(message, { retryAfterMs })
    : new ModelgraphError(code, message, { retryAfterMs });
}
