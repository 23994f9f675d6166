// Owns the reading of operations at the transports that Apollo does not serve (WebSocket and SSE): each text is parsed and validated once.
import {
  type DocumentNode,
  type ExecutionArgs,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  NoSchemaIntrospectionCustomRule,
  OperationTypeNode,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import { boundDocument } from '../../graphql/document-bounds.ts';
import { boundOperation, type OperationBounds } from '../../graphql/operation-cost.ts';
import { BoundedCache } from '../../kernel/bounded-cache.ts';
import { GatewayError, SharedStateUnavailable } from '../../kernel/errors.ts';
import { toGatewayError } from '../../kernel/gateway-error.ts';
import { isOutage } from '../http/fault-status.ts';
import type { PersistedOperations } from './persisted-operations.ts';

interface OperationRequest {
  readonly query?: string | null;
  readonly operationName?: string | null;
  readonly variables?: Readonly<Record<string, unknown>> | null;
  /** `persistedQuery.sha256Hash` stands for the text of a persisted operation. */
  readonly extensions?: unknown;
}

interface OperationsOptions {
  readonly schema: GraphQLSchema;
  readonly introspection: boolean;
  readonly bounds: OperationBounds;
  readonly maxTokens: number;
  readonly persisted: PersistedOperations;
}

type PreparedOperation = ExecutionArgs | readonly GraphQLError[];

/** Weights are characters of the texts: a parsed document takes about fifty times as many bytes. */
const DOCUMENT_CACHE = { maxWeight: 1_000_000, maxEntryWeight: 16_384 };
/** Coercion stops at the first fault, since the text of each fault may be as large as the request. */
export const EXECUTION_OPTIONS = { maxCoercionErrors: 1 };

/** Documents by their text or digest. */
export function createDocumentCache(): BoundedCache<DocumentNode> {
  return new BoundedCache(DOCUMENT_CACHE);
}

export class Operations {
  readonly #options: OperationsOptions;
  readonly #rules;
  readonly #documents = createDocumentCache();

  constructor(options: OperationsOptions) {
    this.#options = options;
    this.#rules = options.introspection
      ? specifiedRules
      : [...specifiedRules, NoSchemaIntrospectionCustomRule];
  }

  /** The operation to execute, or the errors that forbid it. */
  prepare(request: OperationRequest, contextValue: unknown): PreparedOperation {
    const { schema, bounds, persisted } = this.#options;
    const { operationName, variables } = request;
    try {
      const document = this.#document(persisted.resolve(request.query, request.extensions));
      if (!('kind' in document)) return document;
      boundOperation({ schema, document, operationName, variables }, bounds);
      return {
        schema,
        document,
        contextValue,
        options: EXECUTION_OPTIONS,
        ...(operationName == null ? {} : { operationName }),
        ...(variables == null ? {} : { variableValues: variables }),
      };
    } catch (error) {
      if (error instanceof GraphQLError) return [error];
      throw error;
    }
  }

  #document(query: string): DocumentNode | readonly GraphQLError[] {
    const known = this.#documents.get(query);
    if (known) return known;
    try {
      boundDocument(query);
      const document = parse(query, { maxTokens: this.#options.maxTokens });
      const errors = validate(this.#options.schema, document, this.#rules);
      if (errors.length > 0) return errors;
      this.#documents.set(query, document, query.length);
      return document;
    } catch (error) {
      return [error instanceof GraphQLError ? error : new GraphQLError('The document could not be read')];
    }
  }
}

export function isErrors(prepared: PreparedOperation): prepared is readonly GraphQLError[] {
  return Array.isArray(prepared);
}

/** True if the error says that state which nodes share (Redis) does not answer now. */
export function isSharedStateFault(error: unknown): boolean {
  const original = originalOf(error);
  return original instanceof GatewayError && original.cause instanceof SharedStateUnavailable;
}

/** True if the error comes from an outage of the gateway, so that the client may succeed by trying again. */
export function isOutageFault(error: unknown): boolean {
  return isOutage(toGatewayError(originalOf(error))?.code);
}

function originalOf(error: unknown): unknown {
  let original = error;
  while (original instanceof GraphQLError && original.originalError) original = original.originalError;
  return original;
}

/** Kind of the operation that would be executed; `undefined` if no operation has the name, or none is named and the document has several. */
export function kindOf({ document, operationName }: ExecutionArgs): OperationTypeNode | undefined {
  return getOperationAST(document, operationName)?.operation;
}

export const SUBSCRIPTION = OperationTypeNode.SUBSCRIPTION;
