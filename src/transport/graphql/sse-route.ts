// Owns the route of GraphQL over SSE: distinct connections mode of the graphql-sse protocol, each event with an id that a client can resume from.
import type { OutgoingHttpHeaders } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { createSourceEventStream, type ExecutionArgs, type GraphQLFormattedError } from 'graphql';
import { z } from 'zod';
import { nodeDraining } from '../../domain/runs/run-drain.ts';
import type { Arrival, ContextFor, GraphContext } from '../../graphql/context.ts';
import { type ErrorFormatter, formatErrors } from '../../graphql/error-format.ts';
import { parseGlobalId } from '../../graphql/global-id.ts';
import { goneSignalOf } from '../http/caller-presence.ts';
import { EVENT_STREAM_HEADERS, type EventForm, EventStream } from '../http/event-stream.ts';
import { credentialOf, signIn } from '../http/http-auth.ts';
import { traceOf } from '../http/request-trace.ts';
import type { SignInDesk } from '../http/sign-in.ts';
import type { EventExecution } from './event-execution.ts';
import { refuseAsGraph, refuseWithErrors } from './graph-refusal.ts';
import { isErrors, isOutageFault, kindOf, type Operations, SUBSCRIPTION } from './operations.ts';
import { withRateLimit } from './rate-limit-extension.ts';

interface SseRouteOptions {
  readonly path: string;
  readonly operations: Operations;
  readonly events: EventExecution;
  readonly desk: SignInDesk;
  readonly contextFor: ContextFor;
  readonly formatError: ErrorFormatter;
  /** Aborted when the node shuts down: open streams are closed, and their clients reconnect to another node. */
  readonly closing: AbortSignal;
  /** How long, in milliseconds, a client may leave sent data unread. */
  readonly slowReaderMs: number;
}

const COMPLETE = 'event: complete\ndata:\n\n';
const LAST_EVENT_ID = /^([A-Za-z0-9_-]+):(\d{1,15})$/;

const bodySchema = z.object({
  query: z.string().nullish(),
  extensions: z.record(z.string(), z.unknown()).nullish(),
  operationName: z.string().nullish(),
  variables: z.record(z.string(), z.unknown()).nullish(),
});

export function registerSseRoute(server: FastifyInstance, options: SseRouteOptions): void {
  const onRequest = signIn(options.desk);
  const onSend = refuseAsEvents;
  server.post(options.path, { onRequest, onSend }, (request, reply) =>
    answer(request, reply, request.body, options),
  );
  server.get(options.path, { onRequest, onSend }, (request, reply) =>
    answer(request, reply, fromQuery(request.query), options),
  );
}

/** In a GET request the variables are JSON text. */
function fromQuery(query: unknown): unknown {
  const { variables, ...rest } = (query ?? {}) as { variables?: string };
  if (variables === undefined) return rest;
  try {
    return { ...rest, variables: JSON.parse(variables) };
  } catch {
    return { ...rest, variables: 'not JSON' };
  }
}

async function answer(
  request: FastifyRequest,
  reply: FastifyReply,
  body: unknown,
  options: SseRouteOptions,
): Promise<unknown> {
  const { closing, slowReaderMs } = options;
  if (closing.aborted) return refuseAsGraph(reply, nodeDraining());
  const parsed = bodySchema.safeParse(body);
  if (!parsed.success) {
    const message = 'Send {"query", "variables", "operationName"} as JSON';
    return refuseAsGraph(reply, { code: 'BAD_REQUEST', message });
  }
  const resume = resumeFrom(request.headers['last-event-id']);
  if (resume === 'malformed') {
    const message = 'Last-Event-ID: must be "<completion id>:<seq>", as in the id of an event';
    return refuseAsGraph(reply, { code: 'BAD_USER_INPUT', message, path: 'Last-Event-ID' });
  }
  const arrival: Arrival = { kind: 'sse', readOnly: request.method === 'GET', ...(resume ? { resume } : {}) };
  const credential = credentialOf(request);
  const gone = goneSignalOf(reply.raw);
  const prepared = options.operations.prepare(
    { ...parsed.data, query: parsed.data.query ?? null },
    options.contextFor({
      viewer: credential.viewer(),
      requestId: request.id,
      trace: traceOf(request),
      arrival,
      gone,
    }),
  );
  const format = (errors: readonly unknown[]): GraphQLFormattedError[] =>
    formatErrors(errors, options.formatError, request.id);
  if (isErrors(prepared)) return refuseWithErrors(reply, format(prepared));
  if (kindOf(prepared) !== SUBSCRIPTION) {
    const message = 'This door is for subscriptions; send queries and mutations to POST /graphql';
    return refuseAsGraph(reply, { code: 'BAD_REQUEST', message, status: 405 });
  }
  const source = await createSourceEventStream(prepared);
  if (!(Symbol.asyncIterator in source)) return refuseWithErrors(reply, format(source.errors ?? []));
  // Headers that hooks have set (e.g. those of CORS) are sent with the stream.
  const headers = reply.getHeaders() as OutgoingHttpHeaders;
  reply.hijack();
  const stream = new EventStream(reply.raw, { headers, gone, closing, slowReaderMs });
  const unfollow = options.desk.authenticator.follow(credential, () => stream.leave());
  try {
    await stream.send(source as AsyncIterable<object>, formOf(prepared, options.events, format));
  } finally {
    unfollow();
  }
  return reply;
}

/** Results in the form of graphql-sse, each with the id from which a client resumes. */
function formOf(
  prepared: ExecutionArgs,
  events: EventExecution,
  format: (errors: readonly unknown[]) => GraphQLFormattedError[],
): EventForm<object> {
  const executeEvent = events.of(prepared);
  const context = prepared.contextValue as GraphContext;
  return {
    async textOf(event) {
      const result = withRateLimit(await executeEvent(event), context);
      const told = result.errors ? { ...result, errors: format(result.errors) } : result;
      return `${idLine(event)}${nextEvent(JSON.stringify(told))}`;
    },
    textOfFault: (error) =>
      isOutageFault(error) ? undefined : nextEvent(JSON.stringify({ errors: format([error]) })),
    end: COMPLETE,
  };
}

function idLine(event: object): string {
  const { completionId, seq } = event as { completionId?: string; seq?: number };
  return completionId === undefined || seq === undefined ? '' : `id: ${completionId}:${seq}\n`;
}

/** `data` is JSON, which has no line breaks. */
function nextEvent(data: string): string {
  return `event: next\ndata: ${data}\n\n`;
}

/**
 * A client that accepts only an event stream gets the refusal as one: it shows the message at once, instead of treating it as a fault of the network and
 * trying again. Refusals to try again (503 with `Retry-After`) and bad credentials stay HTTP statuses, because proxies act on them.
 */
function refuseAsEvents(
  request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
  done: (error: null, payload: unknown) => void,
): void {
  const { statusCode } = reply;
  const isStatus = statusCode === 401 || (statusCode === 503 && reply.hasHeader('retry-after'));
  if (isStatus || typeof payload !== 'string' || !takesEventsOnly(request.headers.accept)) {
    done(null, payload);
    return;
  }
  reply.code(200).headers(EVENT_STREAM_HEADERS);
  done(null, `${nextEvent(payload)}${COMPLETE}`);
}

function takesEventsOnly(accept = ''): boolean {
  return accept.includes('text/event-stream') && !/json|application\/\*|\*\/\*/.test(accept);
}

function resumeFrom(
  header: string | string[] | undefined,
): { runId: string; after: number } | 'malformed' | undefined {
  if (header === undefined || header === '') return undefined;
  const [, id = '', seq = ''] = LAST_EVENT_ID.exec(String(header)) ?? [];
  const runId = parseGlobalId('Completion', id);
  return runId === undefined ? 'malformed' : { runId, after: Number(seq) };
}
