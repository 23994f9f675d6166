// Owns where a request over HTTP says which trace it belongs to: its headers `traceparent` and `tracestate`.
import type { FastifyRequest } from 'fastify';
import { parseTraceContext, type TraceContext } from '../../kernel/trace-context.ts';

export function traceOf({ headers }: FastifyRequest): TraceContext | undefined {
  return parseTraceContext(headers.traceparent, headers.tracestate);
}
