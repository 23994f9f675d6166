// Owns the HTTP server: one Fastify with every door on it, and the order in which they close.
import { randomUUID } from 'node:crypto';
import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import type { Authenticator } from '../domain/identity/authenticator.ts';
import type { Viewer } from '../domain/identity/viewer.ts';
import { createContext, type Door, type GraphContext, type Services } from '../graphql/context.ts';
import type { ErrorFormatter } from '../graphql/error-format.ts';
import { StartError } from '../kernel/errors.ts';
import type { Logger } from '../kernel/logger.ts';
import { registerExplorer } from './explorer.ts';
import { type Readiness, registerHealth } from './health.ts';
import { signIn, viewerOf } from './http-auth.ts';
import { Operations } from './operations.ts';
import { registerSseDoor } from './sse.ts';
import { openWebSocketDoor } from './ws.ts';

export interface ServerOptions {
  readonly host: string;
  readonly port: number;
  readonly schema: GraphQLSchema;
  readonly services: Services;
  readonly authenticator: Authenticator;
  readonly readiness: Readiness;
  readonly formatError: ErrorFormatter;
  readonly logger: Logger;
  readonly maxBodyBytes: number;
  /** How long a client of a stream may leave unread what it was sent. */
  readonly slowReaderMs: number;
  readonly introspection: boolean;
  readonly explorer: boolean;
  /** Filled into the explorer for whoever asks on the loopback address. */
  readonly explorerKey?: string;
}

export interface RunningServer {
  /** `http://host:port`. */
  readonly url: string;
  /** Sends clients of open streams elsewhere; requests under way are still answered. */
  detachReaders(): Promise<void>;
  close(): Promise<void>;
}

export const GRAPHQL_PATH = '/graphql';
const SSE_PATH = '/graphql/stream';
const MAX_SUBSCRIPTIONS_PER_SOCKET = 1_000;
const REQUEST_ID = /^[\w.:-]{1,128}$/;
const LOOPBACK_HOST = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/i;
const LOOPBACK_ADDRESS = /^(localhost|127\.|::1$)/i;
const HTTP_DOOR: Door = { kind: 'http' };
const READ_ONLY_DOOR: Door = { kind: 'http', readOnly: true };

export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const server = Fastify({
    bodyLimit: options.maxBodyBytes,
    genReqId: (request) => requestIdOf(request.headers['x-request-id']),
    routerOptions: { ignoreTrailingSlash: true },
    forceCloseConnections: 'idle',
  });
  server.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
  });
  server.addHook('onResponse', async (request, reply) => {
    const { method, routeOptions } = request;
    const fields = {
      requestId: request.id,
      method,
      path: routeOptions.url,
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
    };
    options.logger.debug(fields, 'Request');
  });
  registerHealth(server, options.readiness);
  if (options.explorer) registerExplorerPage(server, options);

  const contextFor = (viewer: Viewer, requestId: string, door: Door): GraphContext =>
    createContext({ viewer, requestId, door, services: options.services });
  const operations = new Operations(options.schema, options.introspection);
  const apollo = await registerApollo(server, options);
  const closing = new AbortController();
  const { authenticator, formatError } = options;
  registerSseDoor(server, {
    path: SSE_PATH,
    operations,
    authenticator,
    contextFor,
    formatError,
    closing: closing.signal,
    slowReaderMs: options.slowReaderMs,
  });
  const sockets = openWebSocketDoor({
    server: server.server,
    path: GRAPHQL_PATH,
    operations,
    authenticator,
    contextFor,
    formatError,
    maxMessageBytes: options.maxBodyBytes,
    maxSubscriptionsPerSocket: MAX_SUBSCRIPTIONS_PER_SOCKET,
    slowReaderMs: options.slowReaderMs,
  });
  const url = await server.listen({ host: options.host, port: options.port }).catch(explainAddress);
  const detachReaders = async () => {
    closing.abort();
    await sockets.close();
  };
  return {
    url,
    detachReaders,
    async close() {
      await detachReaders();
      await apollo.stop();
      await server.close();
    },
  };
}

async function registerApollo(
  server: FastifyInstance,
  options: ServerOptions,
): Promise<ApolloServer<GraphContext>> {
  const apollo = new ApolloServer<GraphContext>({
    schema: options.schema,
    introspection: options.introspection,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    csrfPrevention: { requestHeaders: ['x-apollo-operation-name', 'apollo-require-preflight'] },
    plugins: [ApolloServerPluginLandingPageDisabled(), formatErrorsWith(options.formatError)],
  });
  await apollo.start();
  const handler = fastifyApolloHandler(apollo, {
    context: async (request) => contextOfHttp(request, options.services),
  });
  server.route({
    url: GRAPHQL_PATH,
    method: ['GET', 'POST'],
    preHandler: signIn(options.authenticator),
    handler,
  });
  return apollo;
}

function contextOfHttp(request: FastifyRequest, services: Services): GraphContext {
  const gone = new AbortController();
  request.raw.once('close', () => {
    // A request that was read to its end closes too; only a socket that is gone means that nobody waits.
    if (request.raw.socket.destroyed) gone.abort();
  });
  const door = request.method === 'GET' ? READ_ONLY_DOOR : HTTP_DOOR;
  return createContext({
    viewer: viewerOf(request),
    requestId: request.id,
    door,
    services,
    gone: gone.signal,
  });
}

/** Errors are put into form with the request's id, which Apollo's own `formatError` is not told. */
function formatErrorsWith(formatError: ErrorFormatter): ApolloServerPlugin<GraphContext> {
  return {
    async requestDidStart({ contextValue }) {
      return {
        async willSendResponse({ response, errors }) {
          if (!errors || response.body.kind !== 'single') return;
          response.body.singleResult.errors = errors.map((error) =>
            formatError(error, contextValue.requestId),
          );
        },
      };
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
