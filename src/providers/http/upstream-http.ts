// Owns the one way to call providers: pooled keep-alive connections on undici, verified TLS, checked addresses, and a telemetry event for each request.
import { X509Certificate } from 'node:crypto';
import { createSecureContext, getCACertificates } from 'node:tls';
import { Agent, buildConnector } from 'undici';
import { ProviderError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/logger.ts';
import { silentTelemetry, type Telemetry, type UpstreamAnswered } from '../../kernel/telemetry.ts';
import type { UpstreamHttp, UpstreamRequest, UpstreamResponse } from '../contract/http.ts';
import { type AllowAddress, checkLiteral, guardedLookup, type Resolve } from './addresses.ts';
import { decompressed } from './decompress.ts';
import { HttpExchange } from './exchange.ts';

export interface UpstreamHttpOptions {
  readonly logger: Logger;
  /** Gets an event for each request. */
  readonly telemetry?: Telemetry;
  /** Whether an address may be connected to; asked after DNS, with IPv4-mapped forms unwrapped. Absent: all addresses may. */
  readonly allowAddress?: AllowAddress;
  /** Replaces the system's resolver. */
  readonly resolve?: Resolve;
  /** How long, in milliseconds, an idle connection is kept, unless the server names a shorter time. Default 30,000. */
  readonly keepAliveMs?: number;
}

const MAX_KEEP_ALIVE_MS = 600_000;
/** Bound on the pools. There is one for each pair of connect limit and extra certificates, and configs may name any number of these. */
const MAX_AGENTS = 64;

export function createUpstreamHttp(options: UpstreamHttpOptions): UpstreamHttp {
  /** The most recently used pool stands last. */
  const agents = new Map<string, Agent>();
  const leaving = new Set<Agent>();
  const { telemetry = silentTelemetry } = options;

  function agentFor({ connectTimeoutMs, caPem }: UpstreamRequest): Agent {
    const key = `${connectTimeoutMs} ${caPem ?? ''}`;
    const agent = agents.get(key) ?? newAgent(options, connectTimeoutMs, caPem);
    agents.delete(key);
    agents.set(key, agent);
    if (agents.size > MAX_AGENTS) drop(agents.keys().next().value ?? key);
    return agent;
  }

  /** Requests under way go on to their end; idle connections of the pool are closed at once. */
  function drop(key: string): void {
    const agent = agents.get(key);
    agents.delete(key);
    if (!agent) return;
    leaving.add(agent);
    agent
      .close()
      .catch((error: unknown) =>
        options.logger.debug({ err: error }, 'Idle connections were not closed in order'),
      )
      .finally(() => leaving.delete(agent));
  }

  return {
    async send(request) {
      const url = parsedUrl(request.url);
      const startedMs = performance.now();
      try {
        const response = await exchange(agentFor(request), url, request);
        tellRequest(telemetry, request, url, startedMs, { status: response.status });
        return decompressed(response);
      } catch (error) {
        tellRequest(telemetry, request, url, startedMs, { fault: faultName(error) });
        throw error;
      }
    },
    async close() {
      const open = [...agents.values(), ...leaving];
      agents.clear();
      await Promise.all(open.map((agent) => agent.destroy()));
    },
  };
}

function parsedUrl(text: string): URL {
  const url = URL.parse(text);
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new ProviderError(
    'PROVIDER_INVALID_REQUEST',
    'The base URL of this provider config is not an http(s) URL.',
    {
      phase: 'connect',
    },
  );
}

function exchange(agent: Agent, url: URL, request: UpstreamRequest): Promise<UpstreamResponse> {
  const handler = new HttpExchange(url.host, request.signal);
  if (!request.signal.aborted) {
    agent.dispatch(
      {
        origin: url.origin,
        path: url.pathname + url.search,
        method: request.method,
        // Compressed answers would be held back by the compressor instead of being streamed.
        headers: { 'accept-encoding': 'identity', ...request.headers },
        body: request.body ?? null,
      },
      handler,
    );
  }
  return handler.started;
}

/** The caller's signal bounds the wait for headers and bytes, so undici's own limits are off. */
function newAgent(options: UpstreamHttpOptions, connectTimeoutMs: number, caPem: string | undefined): Agent {
  const { allowAddress } = options;
  const connect = buildConnector({
    timeout: connectTimeoutMs,
    allowH2: false,
    ...(caPem === undefined ? {} : { secureContext: secureContextWith(caPem) }),
    ...(allowAddress ? { lookup: guardedLookup(allowAddress, options.resolve) } : {}),
  });
  return new Agent({
    connect(target, callback) {
      // Node calls no lookup for a literal address, so it is checked here.
      if (allowAddress) checkLiteral(target.hostname.replace(/^\[|\]$/g, ''), allowAddress);
      connect(target, callback);
    },
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: options.keepAliveMs ?? 30_000,
    keepAliveMaxTimeout: MAX_KEEP_ALIVE_MS,
    pipelining: 1,
  });
}

/** Node silently ignores certificates of a bundle that it cannot read, so the first one is parsed here. */
function secureContextWith(caPem: string) {
  try {
    new X509Certificate(caPem);
    return createSecureContext({ ca: [...getCACertificates('default'), caPem] });
  } catch (cause) {
    throw new ProviderError(
      'PROVIDER_UNAVAILABLE',
      'The CA bundle of this provider config is not a PEM certificate.',
      {
        cause,
        phase: 'connect',
      },
    );
  }
}

function tellRequest(
  telemetry: Telemetry,
  { method }: UpstreamRequest,
  { host, pathname: path }: URL,
  startedMs: number,
  outcome: UpstreamAnswered['outcome'],
): void {
  const ms = Math.round(performance.now() - startedMs);
  telemetry.emit({ type: 'upstream-answered', method, host, path, outcome, ms });
}

function faultName(error: unknown): string {
  if (error instanceof ProviderError) return error.code;
  return error instanceof Error ? error.name : 'aborted';
}
