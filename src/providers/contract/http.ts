// Owns the contract of HTTP towards providers: a request, its answer, and the client that sends both.

/**
 * The only way by which adapters call providers: connections are pooled, the time to connect is bounded, and addresses are checked. Faults of the
 * connection are raised as `ProviderError`; an answer of any status is an answer.
 */
export interface UpstreamHttp {
  send(request: UpstreamRequest): Promise<UpstreamResponse>;
  close(): Promise<void>;
}

export interface UpstreamRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signal: AbortSignal;
  readonly connectTimeoutMs: number;
  /** PEM certificates to trust in addition to the system's. */
  readonly caPem?: string;
}

/**
 * An answer whose headers have arrived. Its body is read by iterating (one chunk for each read from the socket) or by `text`. Reading it to the end, or
 * leaving the loop, releases the connection; one of the two must be done.
 */
export interface UpstreamResponse {
  readonly status: number;
  /** Lower-case names; repeated headers joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array>;
  /**
   * The whole body as text, cut at `limitBytes`. Without a limit, an error's text is cut at 1 MiB, and any other text of more than 16 MiB raises
   * `PROVIDER_PROTOCOL`.
   */
  text(limitBytes?: number): Promise<string>;
}
