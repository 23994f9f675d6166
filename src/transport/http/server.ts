// Owns the HTTP server: one Fastify with every door on it, and the order in which they close.
import { randomUUID } from 'node:crypto';
import cors from '@fastify/cors';
import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import type { GraphQLSchema } from 'graphql';
import type { Services } from '../../domain/gateway.ts';
import { nodeDraining } from '../../domain/runs/run-drain.ts';
import { type ContextFor, createContext } from '../../graphql/context.ts';
import type { ErrorFormatter } from '../../graphql/error-format.ts';
import type { OperationBounds } from '../../graphql/operation-cost.ts';
import { StartError } from '../../kernel/errors.ts';
import type { Logger } from '../../kernel/logger.ts';
import { registerApolloDoor } from '../graphql/apollo-door.ts';
import { EventExecution } from '../graphql/event-execution.ts';
import { registerExplorer } from '../graphql/explorer.ts';
import { Operations } from '../graphql/operations.ts';
import { PersistedOperations, type PersistedOptions } from '../graphql/persisted-operations.ts';
import { registerSseDoor } from '../graphql/sse.ts';
import { openWebSocketDoor } from '../graphql/ws.ts';
import { type Readiness, registerHealth } from './health.ts';
import { refuse, toldOf } from './refusal.ts';
import { SignInDesk, type SignInOptions } from './sign-in.ts';

export interface ServerOptions {
  readonly host: string;
  readonly port: number;
  readonly schema: GraphQLSchema;
  readonly services: Services;
  readonly signIn: SignInOptions;
  readonly readiness: Readiness;
  readonly formatError: ErrorFormatter;
  readonly logger: Logger;
  readonly maxBodyBytes: number;
  /** How long a client of a stream may leave unread what it was sent. */
  readonly slowReaderMs: number;
  readonly introspection: boolean;
  readonly bounds: OperationBounds;
  readonly maxTokens: number;
  readonly batching: boolean;
  readonly persisted: PersistedOptions;
  /** Keeps names of the schema out of messages about documents. */
  readonly hideSchema: boolean;
  /** Origins whose pages may call; `undefined`: none but the gateway's own. */
  readonly corsOrigins: '*' | readonly string[] | undefined;
  readonly maxConnections: number;
  readonly explorer: boolean;
  /** Filled into the explorer for whoever asks on the loopback address. */
  readonly explorerKey?: string;
}

export interface RunningServer {
  /** `http://host:port`. */
  readonly url: string;
  /** Sends clients of open streams elsewhere, and refuses new streams; waits for nobody. Requests under way are still answered. */
  detachReaders(): void;
  /** In bounded time: what has not been answered by then is cut. */
  close(): Promise<void>;
}

export const GRAPHQL_PATH = '/graphql';
const SSE_PATH = '/graphql/stream';
const MAX_SUBSCRIPTIONS_PER_SOCKET = 1_000;
const REQUEST_ID = /^[\w.:-]{1,128}$/;
const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;
const LOOPBACK_ADDRESS = /^(localhost|127\.|::1$)/i;
/** How long a client may take to send its request; streams and long answers are not bounded by it. */
const REQUEST_TIMEOUT_MS = 30_000;
/** How long requests under way may take when the server closes. */
const LAST_ANSWERS_MS = 2_000;

export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const server = Fastify({
    bodyLimit: options.maxBodyBytes,
    genReqId: (request) => requestIdOf(request.headers['x-request-id']),
    routerOptions: { ignoreTrailingSlash: true },
    forceCloseConnections: 'idle',
    // Its own answer has no errors in it; ours has.
    return503OnClosing: false,
    requestTimeout: REQUEST_TIMEOUT_MS,
  });
  const closing = new AbortController();
  let isClosed = false;
  server.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    if (isClosed) refuse(reply, [toldOf(nodeDraining())]);
    else done();
  });
  server.addHook('onSend', (_request, reply, payload, done) => {
    // Clients that keep connections take their next request to another node.
    if (closing.signal.aborted) reply.header('connection', 'close');
    done(null, payload);
  });
  server.addHook('onResponse', (request, reply, done) => {
    const { method, routeOptions } = request;
    const fields = {
      requestId: request.id,
      method,
      path: routeOptions.url,
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
    };
    options.logger.debug(fields, 'Request');
    done();
  });
  server.setErrorHandler(tellFaults(options.formatError));
  server.server.maxConnections = options.maxConnections;
  if (options.corsOrigins !== undefined) await server.register(cors, corsOf(options.corsOrigins));
  registerHealth(server, options.readiness);
  if (options.explorer) registerExplorerPage(server, options);

  const contextFor: ContextFor = (call) => createContext({ ...call, services: options.services });
  const persisted = new PersistedOperations(options.persisted);
  const desk = new SignInDesk(options.signIn);
  const operations = new Operations({ ...options, persisted });
  const events = new EventExecution(options.schema);
  const apollo = await registerApolloDoor(server, { ...options, path: GRAPHQL_PATH, persisted, desk });
  const { formatError } = options;
  registerSseDoor(server, {
    path: SSE_PATH,
    operations,
    events,
    desk,
    contextFor,
    formatError,
    closing: closing.signal,
    slowReaderMs: options.slowReaderMs,
  });
  const sockets = openWebSocketDoor({
    server: server.server,
    path: GRAPHQL_PATH,
    operations,
    events,
    desk,
    contextFor,
    formatError,
    maxMessageBytes: options.maxBodyBytes,
    maxSubscriptionsPerSocket: MAX_SUBSCRIPTIONS_PER_SOCKET,
    slowReaderMs: options.slowReaderMs,
  });
  const url = await server.listen({ host: options.host, port: options.port }).catch(explainAddress);
  const detachReaders = () => {
    closing.abort();
    return sockets.close();
  };
  return {
    url,
    detachReaders() {
      void detachReaders();
    },
    async close() {
      isClosed = true;
      await detachReaders();
      const cut = setTimeout(() => server.server.closeAllConnections(), LAST_ANSWERS_MS);
      await server.close();
      clearTimeout(cut);
      await apollo.stop();
    },
  };
}

function registerExplorerPage(server: FastifyInstance, options: ServerOptions): void {
  const { explorerKey, host } = options;
  registerExplorer(server, {
    graphqlPath: GRAPHQL_PATH,
    wsPath: GRAPHQL_PATH,
    apiKey: (request) =>
      LOOPBACK_ADDRESS.test(host) && LOOPBACK_HOST.test(request.headers.host ?? '') ? explorerKey : undefined,
  });
}

/** Credentials travel in a header that a page sends itself: cookies are neither read nor allowed. */
function corsOf(origins: '*' | readonly string[]) {
  return {
    origin: origins === '*' ? '*' : [...origins],
    methods: ['GET', 'POST'],
    exposedHeaders: ['x-request-id', 'retry-after'],
    maxAge: 86_400,
  };
}

/** What never comes to a door (a body that is no JSON, or too large) is told in the same form as what does. */
function tellFaults(formatError: ErrorFormatter) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
    const status = error.statusCode ?? 500;
    const told =
      status < 500
        ? { message: error.message, extensions: { code: 'BAD_REQUEST', requestId: request.id } }
        : formatError(error, request.id);
    return reply
      .code(status)
      .type('application/json; charset=utf-8')
      .send({ errors: [told] });
  };
}

function requestIdOf(header: string | string[] | undefined): string {
  return typeof header === 'string' && REQUEST_ID.test(header) ? header : randomUUID();
}

/** What an operator can mend is said without a stack. */
function explainAddress(error: NodeJS.ErrnoException): never {
  if (error.code === 'EADDRINUSE') {
    throw new StartError(
      `PORT: ${error.message.replace(/^listen EADDRINUSE: /, '')}; stop what uses it, or choose another`,
    );
  }
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'EACCES' || error.code === 'ENOTFOUND') {
    throw new StartError(`HOST, PORT: this machine cannot listen there (${error.message})`);
  }
  throw error;
}
