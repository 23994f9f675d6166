// Owns the form of errors in the graph: each has a code, a message and a request id, and its place in the document.
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import type { CallerErrors } from '../kernel/caller-errors.ts';
import { toGlobalId } from './global-id.ts';
import { isCoercionError, safeMessage } from './safe-message.ts';

export type ErrorFormatter = (error: unknown, requestId: string) => GraphQLFormattedError;

/** Codes that GraphQL's own stages raise: their messages tell of the document only, so they may be shown. */
const PASSED_CODES = new Set([
  'GRAPHQL_PARSE_FAILED',
  'GRAPHQL_VALIDATION_FAILED',
  'PERSISTED_QUERY_NOT_FOUND',
  'PERSISTED_QUERY_NOT_SUPPORTED',
  'OPERATION_RESOLUTION_FAILURE',
  'BAD_REQUEST',
  'QUERY_TOO_COMPLEX',
  'FORBIDDEN',
  'BAD_USER_INPUT',
]);

export interface ErrorFormatOptions {
  readonly callerErrors: CallerErrors;
  /** True: suggestions, which name parts of the schema, are left out. */
  readonly hideSchema: boolean;
}

/** The fields of a `GatewayError` that the caller is told. */
export interface ToldFault {
  readonly code: string;
  readonly path?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly extensions?: Readonly<Record<string, unknown>>;
}

/** An error that graphql-js adds if it stops at the first fault of the variables; that first error has said everything. */
const STOPPED_AT_FIRST = /^Too many errors processing variables/;

export function formatErrors(
  errors: readonly unknown[],
  formatError: ErrorFormatter,
  requestId: string,
): GraphQLFormattedError[] {
  return errors
    .filter((error) => !(error instanceof GraphQLError && STOPPED_AT_FIRST.test(error.message)))
    .map((error) => formatError(error, requestId));
}

export function createErrorFormatter({ callerErrors, hideSchema }: ErrorFormatOptions): ErrorFormatter {
  return (error, requestId) => {
    const graphError = error instanceof GraphQLError ? error : undefined;
    const place = {
      ...(graphError?.locations ? { locations: graphError.locations } : {}),
      ...(graphError?.path ? { path: graphError.path } : {}),
    };
    const original = originalOf(error);
    // Errors that graphql-js or Apollo raise themselves are about the document and its variables, which the caller sent, so their message may be shown.
    if (graphError && original instanceof GraphQLError) {
      // The HTTP status is set on the answer itself, so it is not repeated in the extensions.
      const { http: _http, ...extensions } = graphError.extensions;
      return {
        message: safeMessage(graphError, hideSchema),
        ...place,
        extensions: { ...extensions, code: passedCode(graphError), requestId },
      };
    }
    const told = callerErrors.told(original, requestId);
    return { message: told.message, ...place, extensions: toExtensions(told, requestId) };
  };
}

function originalOf(error: unknown): unknown {
  let original = error;
  while (original instanceof GraphQLError && original.originalError) original = original.originalError;
  return original;
}

/** The extensions of a fault beside its message. */
export function toExtensions(fault: ToldFault, requestId: string): Record<string, unknown> {
  const completionId = fault.extensions?.completionId;
  return {
    ...fault.extensions,
    ...(typeof completionId === 'string' ? { completionId: toGlobalId('Completion', completionId) } : {}),
    code: fault.code,
    ...(fault.path === undefined ? {} : { path: fault.path }),
    ...(fault.retryAfterMs === undefined ? {} : { retryAfterMs: fault.retryAfterMs }),
    requestId,
  };
}

function passedCode(error: GraphQLError): string {
  if (isCoercionError(error)) return 'BAD_USER_INPUT';
  const code = String(error.extensions.code ?? '');
  return PASSED_CODES.has(code) ? code : 'GRAPHQL_VALIDATION_FAILED';
}
