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
import { registerExplorer, wantsExplorer } from '../graphql/explorer.ts';
import { ExplorerSignIn } from '../graphql/explorer-sign-in.ts';
import { Operations } from '../graphql/operations.ts';
import { PersistedOperations, type PersistedOptions } from '../graphql/persisted-operations.ts';
import { registerSseDoor } from '../graphql/sse.ts';
import { openWebSocketDoor } from '../graphql/ws.ts';
import { setFaultStatus } from './fault-status.ts';
import { type Readiness, registerHealth } from './health.ts';
import { IntakeBudget } from './intake-budget.ts';
import { registerJsonBody } from './json-body.ts';
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
  /** Origins whose pages may call; `undefined`: none but the gateway's own. */
  readonly corsOrigins: '*' | readonly string[] | undefined;
  readonly maxConnections: number;
  readonly explorer: boolean;
  /** Given to the explorer's page that is opened by the link of `explorerUrl`, where the gateway listens on this machine only. */
  readonly explorerKey?: string;
}

export interface RunningServer {
  /** `http://host:port`. */
  readonly url: string;
  /** Where the explorer is, with a code that signs it in once if it may be; `undefined` if it is off. */
  readonly explorerUrl: string | undefined;
  /** Sends clients of open streams elsewhere, and refuses new streams; waits for nobody. Requests under way are still answered. */
  detachReaders(): void;
  /** In bounded time: what has not been answered by then is cut. */
  close(): Promise<void>;
}

export const GRAPHQL_PATH = '/graphql';
const SSE_PATH = '/graphql/stream';
/** How many bodies of the largest size may be under way together. */
const BODIES_AT_ONCE = 2;
const MAX_SUBSCRIPTIONS_PER_SOCKET = 1_000;
const REQUEST_ID = /^[\w.:-]{1,128}$/;
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
  refuseUnknownPaths(server);
  const budget = new IntakeBudget(BODIES_AT_ONCE * options.maxBodyBytes);
  registerJsonBody(server, { maxBodyBytes: options.maxBodyBytes, budget });
  registerHealth(server, options.readiness);
  registerFrontPage(server, options.explorer);
  const explorerSignIn = options.explorer ? registerExplorerPage(server, options) : undefined;

  const contextFor: ContextFor = (call) => createContext({ ...call, services: options.services });
  const persisted = new PersistedOperations(options.persisted);
  const desk = new SignInDesk(options.signIn);
  const operations = new Operations({ ...options, persisted });
  const events = new EventExecution(options.schema);
  const { formatError } = options;
  // Pages of other origins may read what the doors answer, and nothing else (the explorer's sign-in least of all).
  const apollo = await inScope(server, async (doors) => {
    if (options.corsOrigins !== undefined) await doors.register(cors, corsOf(options.corsOrigins));
    registerSseDoor(doors, {
      path: SSE_PATH,
      operations,
      events,
      desk,
      contextFor,
      formatError,
      closing: closing.signal,
      slowReaderMs: options.slowReaderMs,
    });
    return registerApolloDoor(doors, {
      ...options,
      path: GRAPHQL_PATH,
      doors: `subscribe by POST ${SSE_PATH} (server-sent events) or by a WebSocket to ${GRAPHQL_PATH} (graphql-transport-ws)`,
      persisted,
      desk,
    });
  });
  const sockets = openWebSocketDoor({
    server: server.server,
    path: GRAPHQL_PATH,
    operations,
    events,
    desk,
    contextFor,
    formatError,
    logger: options.logger,
    budget,
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
    explorerUrl: options.explorer ? `${url}${GRAPHQL_PATH}${explorerSignIn?.fragment ?? ''}` : undefined,
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

/** The link with the code is of use only where requests come from this machine. */
function registerExplorerPage(
  server: FastifyInstance,
  { explorerKey, host }: ServerOptions,
): ExplorerSignIn | undefined {
  const signIn =
    explorerKey !== undefined && LOOPBACK_ADDRESS.test(host) ? new ExplorerSignIn(explorerKey) : undefined;
  registerExplorer(server, {
    graphqlPath: GRAPHQL_PATH,
    wsPath: GRAPHQL_PATH,
    ...(signIn ? { signIn } : {}),
  });
  return signIn;
}

/** Before anything of such a request is read. */
function refuseUnknownPaths(server: FastifyInstance): void {
  server.addHook('onRequest', async (request, reply) => {
    if (!request.is404) return;
    const message = `There is nothing at ${request.method} ${request.url.split('?')[0]}; the graph is at ${GRAPHQL_PATH}`;
    return refuse(reply, [{ message, extensions: { code: 'NOT_FOUND' } }]);
  });
}

/** A browser is led to the explorer; everybody else is told where the doors are. */
function registerFrontPage(server: FastifyInstance, explorer: boolean): void {
  server.get('/', async (request, reply) => {
    if (explorer && wantsExplorer(request)) return reply.redirect(GRAPHQL_PATH);
    return {
      name: 'Modelgraph',
      graphql: GRAPHQL_PATH,
      stream: SSE_PATH,
      webSocket: `${GRAPHQL_PATH} (graphql-transport-ws)`,
      ...(explorer ? { explorer: GRAPHQL_PATH } : {}),
      health: ['/health/live', '/health/ready'],
    };
  });
}

/** Hooks that `work` adds hold for the routes that it adds. */
async function inScope<Result>(
  server: FastifyInstance,
  work: (scope: FastifyInstance) => Promise<Result>,
): Promise<Result> {
  let result!: Result;
  await server.register(async (scope) => {
    result = await work(scope);
  });
  return result;
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

/** What never comes to a door (no good credential, a body that is no JSON, or too large) is told in the same form as what does. */
function tellFaults(formatError: ErrorFormatter) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
    const isRequestFault = (error.statusCode ?? 500) < 500;
    const told = isRequestFault
      ? { message: error.message, extensions: { code: 'BAD_REQUEST', requestId: request.id } }
      : formatError(error, request.id);
    const { code, retryAfterMs } = told.extensions as { code: string; retryAfterMs?: number };
    setFaultStatus(reply, code, retryAfterMs);
    if (isRequestFault) reply.code(error.statusCode as number);
    return reply.type('application/json; charset=utf-8').send({ errors: [told] });
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
