// Owns the reading of operations at the doors that are not Apollo's: parsed and validated once per text.
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
import { GatewayError, SharedStateUnavailable } from '../kernel/errors.ts';

export interface OperationRequest {
  readonly query: string;
  readonly operationName?: string | null;
  readonly variables?: Readonly<Record<string, unknown>> | null;
}

export type PreparedOperation = ExecutionArgs | readonly GraphQLError[];

const MAX_CACHED_DOCUMENTS = 500;
const MAX_TOKENS = 10_000;

export class Operations {
  readonly #schema: GraphQLSchema;
  readonly #rules;
  readonly #documents = new Map<string, DocumentNode>();

  constructor(schema: GraphQLSchema, introspection: boolean) {
    this.#schema = schema;
    this.#rules = introspection ? specifiedRules : [...specifiedRules, NoSchemaIntrospectionCustomRule];
  }

  /** What to execute, or why it cannot be. */
  prepare(request: OperationRequest, contextValue: unknown): PreparedOperation {
    const document = this.#document(request.query);
    if (!('kind' in document)) return document;
    return {
      schema: this.#schema,
      document,
      contextValue,
      ...(request.operationName == null ? {} : { operationName: request.operationName }),
      ...(request.variables == null ? {} : { variableValues: request.variables }),
    };
  }

  #document(query: string): DocumentNode | readonly GraphQLError[] {
    const known = this.#documents.get(query);
    if (known) return known;
    try {
      const document = parse(query, { maxTokens: MAX_TOKENS });
      const errors = validate(this.#schema, document, this.#rules);
      if (errors.length > 0) return errors;
      if (this.#documents.size >= MAX_CACHED_DOCUMENTS) this.#documents.clear();
      this.#documents.set(query, document);
      return document;
    } catch (error) {
      return [error instanceof GraphQLError ? error : new GraphQLError('The document could not be read')];
    }
  }
}

export function isErrors(prepared: PreparedOperation): prepared is readonly GraphQLError[] {
  return Array.isArray(prepared);
}

/** Whether an error comes from state that nodes share and that does not answer now. */
export function isSharedStateFault(error: unknown): boolean {
  let original = error;
  while (original instanceof GraphQLError && original.originalError) original = original.originalError;
  return original instanceof GatewayError && original.cause instanceof SharedStateUnavailable;
}

/** Kind of the operation that would be executed; `undefined` if the name fits none, or the document has several. */
export function kindOf({ document, operationName }: ExecutionArgs): OperationTypeNode | undefined {
  return getOperationAST(document, operationName)?.operation;
}

export const SUBSCRIPTION = OperationTypeNode.SUBSCRIPTION;
