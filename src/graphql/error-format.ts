// Owns the last border that an error crosses: a code, words and a request id go out; anything unexpected is masked and logged once.
import { GraphQLError, type GraphQLFormattedError } from 'graphql';
import type { GatewayError } from '../kernel/errors.ts';
import { toGatewayError } from '../kernel/gateway-error.ts';
import type { Logger } from '../kernel/logger.ts';
import { OutageLog } from '../kernel/outage-log.ts';
import { toGlobalId } from './global-id.ts';
import { isCoercionError, safeMessage } from './safe-message.ts';

export type ErrorFormatter = (error: unknown, requestId: string) => GraphQLFormattedError;

/** Codes that GraphQL's own stages raise: their messages speak of the document only. */
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
  readonly logger: Logger;
  /** Leaves out suggestions, which name what the schema has. */
  readonly hideSchema: boolean;
}

/** What graphql-js adds where it has stopped at the first fault of the variables, which says all. */
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

export function createErrorFormatter({ logger, hideSchema }: ErrorFormatOptions): ErrorFormatter {
  const outages = new OutageLog(logger);
  return (error, requestId) => {
    const graphError = error instanceof GraphQLError ? error : undefined;
    const place = {
      ...(graphError?.locations ? { locations: graphError.locations } : {}),
      ...(graphError?.path ? { path: graphError.path } : {}),
    };
    const original = originalOf(error);
    const gatewayError = toGatewayError(original);
    if (gatewayError) {
      if (gatewayError.code === 'STORAGE_UNAVAILABLE') outages.tell(gatewayError, requestId);
      if (gatewayError.code === 'INTERNAL')
        logger.error({ err: gatewayError, requestId }, 'A request failed');
      return { message: gatewayError.message, ...place, extensions: extensionsOf(gatewayError, requestId) };
    }
    // An error that GraphQL (or Apollo around it) made itself speaks of the document or its variables only.
    if (graphError && original instanceof GraphQLError) {
      // What the status was to be is told by the status.
      const { http: _http, ...extensions } = graphError.extensions;
      return {
        message: safeMessage(graphError, hideSchema),
        ...place,
        extensions: { ...extensions, code: passedCode(graphError), requestId },
      };
    }
    logger.error({ err: original, requestId }, 'An unexpected error was masked');
    return {
      message: 'Something went wrong here; the log has it under the request id',
      ...place,
      extensions: { code: 'INTERNAL', requestId },
    };
  };
}

function originalOf(error: unknown): unknown {
  let original = error;
  while (original instanceof GraphQLError && original.originalError) original = original.originalError;
  return original;
}

function extensionsOf(error: GatewayError, requestId: string): Record<string, unknown> {
  const { completionId } = error.extensions;
  return {
    ...error.extensions,
    ...(typeof completionId === 'string' ? { completionId: toGlobalId('Completion', completionId) } : {}),
    code: error.code,
    ...(error.path === undefined ? {} : { path: error.path }),
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
    requestId,
  };
}

function passedCode(error: GraphQLError): string {
  if (isCoercionError(error)) return 'BAD_USER_INPUT';
  const code = String(error.extensions.code ?? '');
  return PASSED_CODES.has(code) ? code : 'GRAPHQL_VALIDATION_FAILED';
}
