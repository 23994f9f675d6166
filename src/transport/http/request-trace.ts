// Owns the reading of the trace that an HTTP request belongs to, from its headers `traceparent` and `tracestate`.
import type { FastifyRequest } from 'fastify';
import { parseTraceContext, type TraceContext } from '../../kernel/trace-context.ts';

export function traceOf({ headers }: FastifyRequest): TraceContext | undefined {
  return parseTraceContext(headers.traceparent, headers.tracestate);
}
