// Owns the door for GraphQL over SSE: distinct connections mode of the graphql-sse protocol, each event with an id that a client can resume from.
import type { ServerResponse } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  createSourceEventStream,
  type ExecutionResult,
  type GraphQLError,
  type GraphQLFormattedError,
} from 'graphql';
import { z } from 'zod';
import type { Viewer } from '../../domain/identity/viewer.ts';
import type { Door, GraphContext } from '../../graphql/context.ts';
import { type ErrorFormatter, formatErrors } from '../../graphql/error-format.ts';
import { parseGlobalId } from '../../graphql/global-id.ts';
import { credentialOf, signIn } from '../http/http-auth.ts';
import type { SignInDesk } from '../http/sign-in.ts';
import type { EventExecution, ExecuteEvent } from './event-execution.ts';
import { isErrors, isSharedStateFault, kindOf, type Operations, SUBSCRIPTION } from './operations.ts';
import { withRateLimit } from './rate-limit-extension.ts';

export interface SseDoorOptions {
  readonly path: string;
  readonly operations: Operations;
  readonly events: EventExecution;
  readonly desk: SignInDesk;
  readonly contextFor: (viewer: Viewer, requestId: string, door: Door) => GraphContext;
  readonly formatError: ErrorFormatter;
  /** Aborted when the node goes away: open streams are closed, and their clients come back elsewhere. */
  readonly closing: AbortSignal;
  /** How long a client may leave unread what it was sent. */
  readonly slowReaderMs: number;
}

const PING_EVERY_MS = 12_000;
const LAST_EVENT_ID = /^([A-Za-z0-9_-]+):(\d{1,15})$/;

const bodySchema = z.object({
  query: z.string().nullish(),
  extensions: z.record(z.string(), z.unknown()).nullish(),
  operationName: z.string().nullish(),
  variables: z.record(z.string(), z.unknown()).nullish(),
});

export function registerSseDoor(server: FastifyInstance, options: SseDoorOptions): void {
  const onRequest = signIn(options.desk);
  server.post(options.path, { onRequest }, (request, reply) => answer(request, reply, request.body, options));
  server.get(options.path, { onRequest }, (request, reply) =>
    answer(request, reply, fromQuery(request.query), options),
  );
}

/** By GET the variables travel as JSON text. */
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
  options: SseDoorOptions,
): Promise<void> {
  const parsed = bodySchema.safeParse(body);
  if (!parsed.success) {
    return refuse(reply, 400, [
      {
        message: 'Send {"query", "variables", "operationName"} as JSON',
        extensions: { code: 'BAD_REQUEST' },
      },
    ]);
  }
  const resume = resumeFrom(request.headers['last-event-id']);
  if (resume === 'malformed') {
    const message = 'Last-Event-ID: must be "<completion id>:<seq>", as in the id of an event';
    return refuse(reply, 400, [{ message, extensions: { code: 'BAD_USER_INPUT', path: 'Last-Event-ID' } }]);
  }
  const door: Door = { kind: 'sse', readOnly: request.method === 'GET', ...(resume ? { resume } : {}) };
  const credential = credentialOf(request);
  const prepared = options.operations.prepare(
    { ...parsed.data, query: parsed.data.query ?? null },
    options.contextFor(credential.viewer(), request.id, door),
  );
  const format = (errors: readonly GraphQLError[]): GraphQLFormattedError[] =>
    formatErrors(errors, options.formatError, request.id);
  if (isErrors(prepared)) return refuse(reply, 400, format(prepared));
  if (kindOf(prepared) !== SUBSCRIPTION) {
    const message = 'This door is for subscriptions; send queries and mutations to POST /graphql';
    return refuse(reply, 405, [{ message, extensions: { code: 'BAD_REQUEST' } }]);
  }
  const source = await createSourceEventStream(prepared);
  if (!(Symbol.asyncIterator in source)) {
    const errors = source.errors ?? [];
    return refuse(reply, errors.some(isSharedStateFault) ? 503 : 400, format(errors));
  }
  reply.hijack();
  const stream = new EventStream(reply.raw, options.closing, options.slowReaderMs);
  const unfollow = options.desk.authenticator.follow(credential, () => stream.leave());
  try {
    const executeEvent = options.events.of(prepared);
    const answerTo: ExecuteEvent = async (event) =>
      withRateLimit(await executeEvent(event), prepared.contextValue as GraphContext);
    await stream.send(source as AsyncIterable<object>, answerTo, format, request.id);
  } finally {
    unfollow();
  }
}

function resumeFrom(
  header: string | string[] | undefined,
): { runId: string; after: number } | 'malformed' | undefined {
  if (header === undefined || header === '') return undefined;
  const [, id = '', seq = ''] = LAST_EVENT_ID.exec(String(header)) ?? [];
  const runId = parseGlobalId('Completion', id);
  return runId === undefined ? 'malformed' : { runId, after: Number(seq) };
}

function refuse(
  reply: FastifyReply,
  status: number,
  errors: readonly Pick<GraphQLFormattedError, 'message' | 'extensions'>[],
): Promise<void> {
  const told = errors.map((error) => ({
    ...error,
    extensions: { ...error.extensions, requestId: reply.request.id },
  }));
  reply.code(status).type('application/json; charset=utf-8').send({ errors: told });
  return Promise.resolve();
}

/** One answer in event-stream form; it ends with `complete`, or without it where the client should come back. */
class EventStream {
  readonly #response: ServerResponse;
  readonly #slowReaderMs: number;
  readonly #gone = new AbortController();

  constructor(response: ServerResponse, closing: AbortSignal, slowReaderMs: number) {
    this.#response = response;
    this.#slowReaderMs = slowReaderMs;
    const leave = () => this.leave();
    response.on('close', leave);
    closing.addEventListener('abort', leave, { once: true });
    response.on('close', () => closing.removeEventListener('abort', leave));
    if (closing.aborted) leave();
  }

  /** Ends without `complete`: a client that comes back is asked for its credential again. */
  leave(): void {
    this.#gone.abort();
  }

  async send(
    source: AsyncIterable<object>,
    answerTo: ExecuteEvent,
    format: (errors: readonly GraphQLError[]) => readonly object[],
    requestId: string,
  ): Promise<void> {
    this.#response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      connection: 'keep-alive',
      'x-accel-buffering': 'no',
      'x-request-id': requestId,
    });
    // Headers go out before the first event, so that a client knows that it is connected.
    this.#response.write(':\n\n');
    const pings = setInterval(() => this.#response.write(': ping\n\n'), PING_EVERY_MS);
    try {
      await this.#sendAll(source, answerTo, format);
    } finally {
      clearInterval(pings);
      this.#response.end();
    }
  }

  async #sendAll(
    source: AsyncIterable<object>,
    answerTo: ExecuteEvent,
    format: (errors: readonly GraphQLError[]) => readonly object[],
  ): Promise<void> {
    const events = source[Symbol.asyncIterator]();
    const onGone = () => void events.return?.();
    this.#gone.signal.addEventListener('abort', onGone, { once: true });
    if (this.#gone.signal.aborted) onGone();
    try {
      for (let next = await events.next(); !next.done; next = await events.next()) {
        const result = await answerTo(next.value);
        await this.#write(
          `${idLine(next.value)}event: next\ndata: ${JSON.stringify(formatted(result, format))}\n\n`,
        );
      }
    } catch (error) {
      // It ends without `complete`: the client comes back, and goes on behind the last event.
      if (isSharedStateFault(error)) return;
      const errors = format([error as GraphQLError]);
      await this.#write(`event: next\ndata: ${JSON.stringify({ errors })}\n\n`);
    }
    if (!this.#gone.signal.aborted) await this.#write('event: complete\ndata:\n\n');
  }

  /** Waits until a slow client has taken what was written, so that the events meanwhile can be merged. */
  async #write(text: string): Promise<void> {
    if (this.#gone.signal.aborted || this.#response.write(text)) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => this.#response.destroy(), this.#slowReaderMs);
      const done = () => {
        clearTimeout(timer);
        this.#response.off('drain', done);
        this.#gone.signal.removeEventListener('abort', done);
        resolve();
      };
      this.#response.on('drain', done);
      this.#gone.signal.addEventListener('abort', done);
    });
  }
}

function formatted(
  result: ExecutionResult,
  format: (errors: readonly GraphQLError[]) => readonly object[],
): object {
  return result.errors ? { ...result, errors: format(result.errors) } : result;
}

function idLine(event: object): string {
  const { completionId, seq } = event as { completionId?: string; seq?: number };
  return completionId === undefined || seq === undefined ? '' : `id: ${completionId}:${seq}\n`;
}
