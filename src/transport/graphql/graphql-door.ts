// Owns the door of the graph: queries and mutations through Apollo, subscriptions over SSE and WebSocket, and the explorer for browsers.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import type { Services } from '../../domain/gateway.ts';
import { type ContextFor, createContext } from '../../graphql/context.ts';
import type { ErrorFormatter } from '../../graphql/error-format.ts';
import type { OperationBounds } from '../../graphql/operation-cost.ts';
import type { Door, DoorSupplies, OpenedDoor } from '../http/door.ts';
import { jsonExcess } from '../http/json-bounds.ts';
import { registerApolloRoute } from './apollo-route.ts';
import { EventExecution } from './event-execution.ts';
import { registerExplorer } from './explorer.ts';
import { ExplorerSignIn } from './explorer-sign-in.ts';
import { refuseAsGraph, spellAsGraph } from './graph-refusal.ts';
import { Operations } from './operations.ts';
import type { PersistedOperations } from './persisted-operations.ts';
import { registerSseRoute } from './sse-route.ts';
import { openWebSockets } from './web-sockets.ts';

interface GraphqlDoorOptions {
  readonly schema: GraphQLSchema;
  readonly services: Services;
  readonly formatError: ErrorFormatter;
  readonly introspection: boolean;
  readonly bounds: OperationBounds;
  readonly maxTokens: number;
  readonly batching: boolean;
  readonly persisted: PersistedOperations;
  readonly explorer: boolean;
  /** A key that the explorer gets once, when its page is opened by the link with the code; absent: a person who opens the explorer pastes a key. */
  readonly explorerKey?: string;
}

export interface GraphqlDoor extends Door {
  /** Path of the explorer, with a code that signs its first user in where that is allowed; `undefined` if the explorer is off. */
  readonly explorerPath: string | undefined;
}

export const GRAPHQL_PATH = '/graphql';
const SSE_PATH = '/graphql/stream';
const EXPLORER_PATH = '/explorer';
const MAX_SUBSCRIPTIONS_PER_SOCKET = 1_000;
/** Parameters of a URL that hold JSON text. Source: GraphQL over HTTP, "GET". */
const JSON_PARAMETERS = ['variables', 'extensions'];

export function createGraphqlDoor(options: GraphqlDoorOptions): GraphqlDoor {
  const { explorer, explorerKey } = options;
  const signIn = explorer && explorerKey !== undefined ? new ExplorerSignIn(explorerKey) : undefined;
  return {
    name: 'the graph',
    paths: [GRAPHQL_PATH, EXPLORER_PATH],
    addresses: {
      graphql: GRAPHQL_PATH,
      stream: SSE_PATH,
      webSocket: `${GRAPHQL_PATH} (graphql-transport-ws)`,
      ...(explorer ? { explorer: GRAPHQL_PATH } : {}),
    },
    explorerPath: explorer ? `${GRAPHQL_PATH}${signIn?.fragment ?? ''}` : undefined,
    spell: spellAsGraph,
    registerPages(server) {
      if (!explorer) return;
      registerExplorer(server, {
        graphqlPath: GRAPHQL_PATH,
        wsPath: GRAPHQL_PATH,
        ...(signIn ? { signIn } : {}),
      });
    },
    open: (routes, supplies) => open(routes, supplies, options),
  };
}

async function open(
  routes: FastifyInstance,
  { desk, budget, closing, maxBodyBytes, slowReaderMs, logger }: DoorSupplies,
  options: GraphqlDoorOptions,
): Promise<OpenedDoor> {
  const { services, formatError } = options;
  const contextFor: ContextFor = (call) => createContext({ ...call, services });
  const operations = new Operations(options);
  const events = new EventExecution(options.schema);
  const common = { operations, events, desk, contextFor, formatError, slowReaderMs };
  routes.addHook('preHandler', (request, reply, done) => {
    const excess = excessOfParameters(request);
    if (excess === undefined) done();
    else refuseAsGraph(reply, { code: 'BAD_REQUEST', message: excess });
  });
  registerSseRoute(routes, { ...common, path: SSE_PATH, closing });
  const apollo = await registerApolloRoute(routes, {
    ...options,
    path: GRAPHQL_PATH,
    subscribeAt: `subscribe by POST ${SSE_PATH} (server-sent events) or by a WebSocket to ${GRAPHQL_PATH} (graphql-transport-ws)`,
    desk,
    contextFor,
  });
  const sockets = openWebSockets({
    ...common,
    logger,
    budget,
    maxMessageBytes: maxBodyBytes,
    maxSubscriptionsPerSocket: MAX_SUBSCRIPTIONS_PER_SOCKET,
  });
  return {
    upgrade: { path: GRAPHQL_PATH, accept: sockets.accept },
    detachReaders: () => sockets.close(),
    close: () => apollo.stop(),
  };
}

/** The reason why the JSON in the URL must not be parsed; `undefined` if it may be. */
function excessOfParameters(request: FastifyRequest): string | undefined {
  const query = (request.query ?? {}) as Readonly<Record<string, unknown>>;
  for (const name of JSON_PARAMETERS) {
    const text = query[name];
    const excess = typeof text === 'string' ? jsonExcess(text) : undefined;
    if (excess !== undefined) return `${name}: ${excess}`;
  }
  return undefined;
}
