// Owns the route of queries and mutations over HTTP: Apollo on Fastify. Operations are bounded before they are executed, and errors get their final form.
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
import {
  type DocumentNode,
  GraphQLError,
  type GraphQLFormattedError,
  type GraphQLSchema,
  OperationTypeNode,
} from 'graphql';
import type { Arrival, ContextFor, GraphContext } from '../../graphql/context.ts';
import { boundDocument } from '../../graphql/document-bounds.ts';
import { type ErrorFormatter, formatErrors } from '../../graphql/error-format.ts';
import { boundOperation, type OperationBounds } from '../../graphql/operation-cost.ts';
import { BoundedCache } from '../../kernel/bounded-cache.ts';
import { goneSignalOf } from '../http/caller-presence.ts';
import { isOutage, retryAfterOf, statusOf } from '../http/fault-status.ts';
import { signIn, viewerOf } from '../http/http-auth.ts';
import { traceOf } from '../http/request-trace.ts';
import type { SignInDesk } from '../http/sign-in.ts';
import { refuseAsGraph, refuseWithErrors } from './graph-refusal.ts';
import { createDocumentCache, EXECUTION_OPTIONS } from './operations.ts';
import type { PersistedOperations } from './persisted-operations.ts';
import { withRateLimit } from './rate-limit-extension.ts';

interface ApolloRouteOptions {
  readonly path: string;
  readonly schema: GraphQLSchema;
  readonly desk: SignInDesk;
  readonly contextFor: ContextFor;
  readonly formatError: ErrorFormatter;
  readonly introspection: boolean;
  readonly bounds: OperationBounds;
  readonly maxTokens: number;
  readonly batching: boolean;
  readonly persisted: PersistedOperations;
  /** Where subscriptions are served, in words for clients that send one here. */
  readonly subscribeAt: string;
}

/** Weights are characters. Texts that clients register themselves must not fill the memory. */
const REGISTERED_TEXTS = { maxWeight: 4_000_000, maxEntryWeight: 100_000 };
const MAX_BATCH = 100;
const READABLE = /(application|\*)\/(json|graphql-response\+json|\*)/i;
const BY_POST: Arrival = { kind: 'http' };
const BY_GET: Arrival = { kind: 'http', readOnly: true };
/** A page of another origin can send these only if the gateway has agreed to it before (CORS preflight). */
const NOT_SIMPLE_HEADERS = ['x-apollo-operation-name', 'apollo-require-preflight', 'authorization'];
/** Codes of faults in a request that is well formed as HTTP. Source: GraphQL over HTTP, "application/json". */
const WELL_FORMED =
  /"code":"(GRAPHQL_PARSE_FAILED|GRAPHQL_VALIDATION_FAILED|BAD_USER_INPUT|QUERY_TOO_COMPLEX)"/;

export async function registerApolloRoute(
  server: FastifyInstance,
  options: ApolloRouteOptions,
): Promise<ApolloServer<GraphContext>> {
  const { persisted } = options;
  const apollo = new ApolloServer<GraphContext>({
    schema: options.schema,
    introspection: options.introspection,
    includeStacktraceInErrorResponses: false,
    stopOnTerminationSignals: false,
    allowBatchedHttpRequests: options.batching,
    parseOptions: { maxTokens: options.maxTokens },
    executionOptions: EXECUTION_OPTIONS,
    documentStore: documentStore(),
    csrfPrevention: { requestHeaders: NOT_SIMPLE_HEADERS },
    persistedQueries: {
      // Operations that clients register themselves are kept in memory only, and none are accepted if the operator has fixed the list.
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
      // This plugin would wrap the resolver of every field, and reports of usage would be sent to Apollo.
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginUsageReportingDisabled(),
      ApolloServerPluginSchemaReportingDisabled(),
      ApolloServerPluginInlineTraceDisabled(),
      graphPlugin(options),
    ],
  });
  const registered = new BoundedCache<string>(REGISTERED_TEXTS);
  const register = (key: string, text: string) => registered.set(key, text, text.length);
  await apollo.start();
  const handler = fastifyApolloHandler(apollo, {
    context: async (request, reply) => contextOf(request, reply, options.contextFor),
  });
  server.route({
    url: options.path,
    method: ['GET', 'POST'],
    onRequest: [signIn(options.desk), refuseUnreadableAnswers],
    preHandler: refuseOutsizedDocuments,
    onSend: finishAnswer,
    handler,
  });
  return apollo;
}

/** Parsed documents by digest, in the form that Apollo asks for. Apollo's own store has no bound. */
function documentStore() {
  const documents = createDocumentCache();
  return {
    get: async (key: string) => documents.get(key),
    set: async (key: string, document: DocumentNode) =>
      documents.set(key, document, document.loc?.source.body.length ?? Number.POSITIVE_INFINITY),
    delete: async (key: string) => documents.delete(key),
  };
}

/** Apollo finds out that a client cannot read its answer only after the operation was executed, when a completion would be paid already. */
function refuseUnreadableAnswers(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  const { accept } = request.headers;
  if (accept === undefined || READABLE.test(accept)) {
    done();
    return;
  }
  const message = `The answer is JSON, which "accept" must allow; for "text/event-stream" send the operation to ${request.routeOptions.url}/stream`;
  refuseAsGraph(reply, { code: 'BAD_REQUEST', message, status: 406 });
}

/** Checks documents before Apollo parses them; a list is a batch of operations. */
function refuseOutsizedDocuments(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
  const sent = request.method === 'GET' ? request.query : request.body;
  const operations = [sent].flat() as readonly ({ readonly query?: unknown } | null | undefined)[];
  try {
    if (operations.length > MAX_BATCH) {
      throw new GraphQLError(`A batch has ${operations.length} operations, of at most ${MAX_BATCH}`, {
        extensions: { code: 'BAD_REQUEST' },
      });
    }
    for (const operation of operations) {
      if (typeof operation?.query === 'string') boundDocument(operation.query);
    }
  } catch (error) {
    const { message, extensions } = error as GraphQLError;
    const { id: requestId } = reply.request;
    refuseWithErrors(reply, [{ message, extensions: { code: extensions.code, requestId } }]);
    return;
  }
  done();
}

/**
 * Forbids caches to store answers. For clients that accept `application/json` the status is that of the transport, so a well-formed request gets 200
 * whatever its document is.
 */
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

function contextOf(request: FastifyRequest, reply: FastifyReply, contextFor: ContextFor): GraphContext {
  return contextFor({
    viewer: viewerOf(request),
    requestId: request.id,
    trace: traceOf(request),
    arrival: request.method === 'GET' ? BY_GET : BY_POST,
    gone: goneSignalOf(reply.raw),
  });
}

/**
 * Bounds an operation after it was parsed and validated and before it is executed. It also gives errors their final form with the request's id, which
 * Apollo's own `formatError` does not get.
 */
function graphPlugin(options: ApolloRouteOptions): ApolloServerPlugin<GraphContext> {
  const { schema, bounds, persisted, formatError } = options;
  return {
    async requestDidStart({ contextValue }) {
      return {
        async didResolveOperation({ document, operationName, operation, request, source }) {
          persisted.allow(source);
          if (operation?.operation === OperationTypeNode.SUBSCRIPTION)
            throw wrongAddress(options.subscribeAt);
          boundOperation({ schema, document, operationName, variables: request.variables }, bounds);
        },
        async willSendResponse({ response, errors, requestIsBatched }) {
          if (response.body.kind !== 'single') return;
          response.body.singleResult = withRateLimit(response.body.singleResult, contextValue);
          if (!errors) return;
          const told = formatErrors(errors, formatError, contextValue.requestId);
          response.body.singleResult.errors = told;
          if (!requestIsBatched) tellOutage(response.http, response.body.singleResult.data, told);
        },
      };
    },
  };
}

function wrongAddress(subscribeAt: string): GraphQLError {
  return new GraphQLError(`Subscriptions are not answered by this address: ${subscribeAt}`, {
    extensions: { code: 'BAD_REQUEST', http: { status: 400 } },
  });
}

/** Sets the HTTP status and `Retry-After` of an answer that has no data because of an outage: load balancers and clients that retry look at these only. */
function tellOutage(
  http: HTTPGraphQLHead,
  data: object | null | undefined,
  told: readonly GraphQLFormattedError[],
): void {
  const outage = told.find(({ extensions }) => isOutage(extensions?.code));
  if (!outage || Object.values(data ?? {}).some((value) => value != null)) return;
  http.status = statusOf(outage.extensions?.code);
  http.headers.set('retry-after', retryAfterOf(Number(outage.extensions?.retryAfterMs ?? 1_000)));
}
