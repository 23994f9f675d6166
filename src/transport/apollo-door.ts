// Owns the HTTP door of the graph: Apollo on Fastify, bounded before it executes, with every error in its last form.
import { ApolloServer, type ApolloServerPlugin } from '@apollo/server';
import { ApolloServerPluginLandingPageDisabled } from '@apollo/server/plugin/disabled';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { GraphQLSchema } from 'graphql';
import type { Authenticator } from '../domain/identity/authenticator.ts';
import { createContext, type Door, type GraphContext, type Services } from '../graphql/context.ts';
import type { ErrorFormatter } from '../graphql/error-format.ts';
import { boundOperation, type OperationBounds } from '../graphql/operation-cost.ts';
import { signIn, viewerOf } from './http-auth.ts';
import type { PersistedOperations } from './persisted-operations.ts';

export interface ApolloDoorOptions {
  readonly path: string;
  readonly schema: GraphQLSchema;
  readonly services: Services;
  readonly authenticator: Authenticator;
  readonly formatError: ErrorFormatter;
  readonly introspection: boolean;
  readonly bounds: OperationBounds;
  readonly maxTokens: number;
  readonly batching: boolean;
  readonly persisted: PersistedOperations;
  /** Keeps names of the schema out of messages about documents. */
  readonly hideSchema: boolean;
}

const HTTP_DOOR: Door = { kind: 'http' };
const READ_ONLY_DOOR: Door = { kind: 'http', readOnly: true };
/** A page of another origin cannot send these without asking first. */
const NOT_SIMPLE_HEADERS = ['x-apollo-operation-name', 'apollo-require-preflight', 'authorization'];
/** Faults of a request that was well formed as HTTP. Source: GraphQL over HTTP, "application/json". */
const WELL_FORMED =
  /"code":"(GRAPHQL_PARSE_FAILED|GRAPHQL_VALIDATION_FAILED|BAD_USER_INPUT|QUERY_TOO_COMPLEX)"/;

export async function registerApolloDoor(
  server: FastifyInstance,
  options: ApolloDoorOptions,
): Promise<ApolloServer<GraphContext>> {
  const { persisted } = options;
  const apollo = new ApolloServer<GraphContext>({
    schema: options.schema,
    introspection: options.introspection,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    hideSchemaDetailsFromClientErrors: options.hideSchema,
    allowBatchedHttpRequests: options.batching,
    parseOptions: { maxTokens: options.maxTokens },
    csrfPrevention: { requestHeaders: NOT_SIMPLE_HEADERS },
    persistedQueries: {
      // What clients register by themselves is kept in memory only, and not at all where the operator decides.
      cache: {
        get: async (key) => persisted.get(key.replace(/^apq:/, '')) ?? registered.get(key),
        set: async (key, text) => {
          if (!persisted.only) register(key, text);
        },
        delete: async () => false,
      },
    },
    plugins: [
      ApolloServerPluginLandingPageDisabled(),
      boundWith(options),
      formatErrorsWith(options.formatError),
    ],
  });
  const registered = new Map<string, string>();
  const register = (key: string, text: string) => {
    if (registered.size >= MAX_REGISTERED) registered.clear();
    registered.set(key, text);
  };
  await apollo.start();
  const handler = fastifyApolloHandler(apollo, {
    context: async (request) => contextOf(request, options.services),
  });
  server.route({
    url: options.path,
    method: ['GET', 'POST'],
    preHandler: signIn(options.authenticator),
    onSend: tellLegacyClients,
    handler,
  });
  return apollo;
}

const MAX_REGISTERED = 1_000;

/** Clients of `application/json` take the status for that of the transport: a well-formed request is 200, whatever its document is. */
async function tellLegacyClients(
  _request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
): Promise<unknown> {
  const legacy =
    reply.statusCode === 400 && String(reply.getHeader('content-type')).startsWith('application/json');
  if (legacy && typeof payload === 'string' && WELL_FORMED.test(payload)) reply.code(200);
  return payload;
}

function contextOf(request: FastifyRequest, services: Services): GraphContext {
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

/** Once the operation is known and valid, and before anything of it is executed. */
function boundWith({ bounds, persisted }: ApolloDoorOptions): ApolloServerPlugin<GraphContext> {
  return {
    async requestDidStart() {
      return {
        async didResolveOperation({ document, operationName, request, source }) {
          persisted.allow(source);
          boundOperation(document, operationName, request.variables, bounds);
        },
      };
    },
  };
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
