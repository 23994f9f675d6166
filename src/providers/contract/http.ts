// Owns the contract of the one way out to providers: a request, its answer, and the pool that carries both.

/** The one way out to providers: pooled, with time to connect bounded and addresses checked. Faults are `ProviderError`. */
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
  /** Further PEM certificates to trust, beside the system's roots. */
  readonly caPem?: string;
}

/** Headers have arrived; the body is read by iterating (one chunk per upstream read) or by `text`. Either releases the connection. */
export interface UpstreamResponse {
  readonly status: number;
  /** Lower-case names; repeated headers joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: AsyncIterable<Uint8Array>;
  /** The whole body as text, cut at `limitBytes`. Without it an error is cut at 1 MiB, and anything else of more than 16 MiB is `PROVIDER_PROTOCOL`. */
  text(limitBytes?: number): Promise<string>;
}
