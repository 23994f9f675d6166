// Owns the HTTP door of the graph: Apollo on Fastify, bounded before it executes, with every error in its last form.
import { ApolloServer, type ApolloServerPlugin, type HTTPGraphQLHead } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { GraphQLError, GraphQLFormattedError, GraphQLSchema } from 'graphql';
import type { Services } from '../../domain/gateway.ts';
import { createContext, type Door, type GraphContext } from '../../graphql/context.ts';
import { refuseDeepDocument } from '../../graphql/document-depth.ts';
import type { ErrorFormatter } from '../../graphql/error-format.ts';
import { boundOperation, type OperationBounds } from '../../graphql/operation-cost.ts';
import { goneSignalOf } from '../http/caller-presence.ts';
import { isOutage, retryAfterOf } from '../http/fault-status.ts';
import { signIn, viewerOf } from '../http/http-auth.ts';
import type { SignInDesk } from '../http/sign-in.ts';
import type { PersistedOperations } from './persisted-operations.ts';
import { withRateLimit } from './rate-limit-extension.ts';

export interface ApolloDoorOptions {
  readonly path: string;
  readonly schema: GraphQLSchema;
  readonly services: Services;
  readonly desk: SignInDesk;
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
      // It would wrap the resolver of every field, at every door; and nobody is told of what is asked here.
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginUsageReportingDisabled(),
      ApolloServerPluginSchemaReportingDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
      doorPlugin(options),
    ],
  });
  const registered = new Map<string, string>();
  const register = (key: string, text: string) => {
    if (registered.size >= MAX_REGISTERED) registered.clear();
    registered.set(key, text);
  };
  await apollo.start();
  const handler = fastifyApolloHandler(apollo, {
    context: async (request, reply) => contextOf(request, reply, options.services),
  });
  server.route({
    url: options.path,
    method: ['GET', 'POST'],
    preHandler: [signIn(options.desk), refuseDeepDocuments],
    onSend: finishAnswer,
    handler,
  });
  return apollo;
}

/** Before Apollo parses them; a list is a batch. */
function refuseDeepDocuments(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  const sent = request.method === 'GET' ? request.query : request.body;
  try {
    for (const { query } of [sent ?? {}].flat() as readonly { readonly query?: unknown }[]) {
      if (typeof query === 'string') refuseDeepDocument(query);
    }
  } catch (error) {
    const { message, extensions } = error as GraphQLError;
    reply.code(400).send({
      errors: [{ message, extensions: { code: extensions.code, requestId: request.id } }],
    });
    return;
  }
  done();
}

const MAX_REGISTERED = 1_000;

/** No answer is kept on its way. Clients of `application/json` take the status for that of the transport: a well-formed request is 200, whatever its document is. */
function finishAnswer(
  _request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
  done: (error: null, payload: unknown) => void,
): void {
  reply.header('cache-control', 'no-store');
  const legacy =
    reply.statusCode === 400 && String(reply.getHeader('content-type')).startsWith('application/json');
  if (legacy && typeof payload === 'string' && WELL_FORMED.test(payload)) reply.code(200);
  done(null, payload);
}

function contextOf(request: FastifyRequest, reply: FastifyReply, services: Services): GraphContext {
  const door = request.method === 'GET' ? READ_ONLY_DOOR : HTTP_DOOR;
  return createContext({
    viewer: viewerOf(request),
    requestId: request.id,
    door,
    services,
    gone: goneSignalOf(reply.raw),
  });
}

/**
 * Bounds an operation once it is known and valid, before anything of it is executed; and puts errors into form with the request's id, which
 * Apollo's own `formatError` is not told.
 */
function doorPlugin({ bounds, persisted, formatError }: ApolloDoorOptions): ApolloServerPlugin<GraphContext> {
  return {
    async requestDidStart({ contextValue }) {
      return {
        async didResolveOperation({ document, operationName, request, source }) {
          persisted.allow(source);
          boundOperation(document, operationName, request.variables, bounds);
        },
        async willSendResponse({ response, errors, requestIsBatched }) {
          if (response.body.kind !== 'single') return;
          response.body.singleResult = withRateLimit(response.body.singleResult, contextValue);
          if (!errors) return;
          const told = errors.map((error) => formatError(error, contextValue.requestId));
          response.body.singleResult.errors = told;
          if (!response.body.singleResult.data && !requestIsBatched) tellOutage(response.http, told);
        },
      };
    },
  };
}

/** An answer that is nothing but an outage of the gateway says so in its status: load balancers and clients go elsewhere, or come back. */
function tellOutage(http: HTTPGraphQLHead, errors: readonly GraphQLFormattedError[]): void {
  if (!errors.every(({ extensions }) => isOutage(extensions?.code))) return;
  http.status = 503;
  const [first] = errors;
  http.headers.set('retry-after', retryAfterOf(Number(first?.extensions?.retryAfterMs ?? 1_000)));
}
