// Owns the scalars of the graph: money as exact decimal text, JSON objects, and times.
import { GraphQLError, GraphQLScalarType, Kind, type ValueNode, valueFromASTUntyped } from 'graphql';
import { isJsonObject, type JsonObject } from '../kernel/json.ts';
import { formatUsd, parseUsd } from '../kernel/money.ts';

/**
 * A date, or a date with a time; without a zone the time is the server's. Years of other lengths are refused, since they are mistakes and some databases
 * cannot store them.
 */
const ISO_8601 =
  /^(?:19[7-9]\d|[2-9]\d{3})-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/;

/** The value in code is nano-dollars as a bigint. */
export const UsdScalar = new GraphQLScalarType<bigint, string>({
  name: 'Usd',
  description: 'US dollars as exact decimal text with up to nine places, e.g. "0.00125".',
  serialize: (value) => formatUsd(value as bigint),
  parseValue: (value) => readUsd(value),
  parseLiteral: (node) => readUsd('value' in node ? node.value : undefined),
});

export const JsonObjectScalar = new GraphQLScalarType<JsonObject, JsonObject>({
  name: 'JSONObject',
  description: 'A JSON object.',
  serialize: (value) => value as JsonObject,
  parseValue: (value) => readJsonObject(value),
  parseLiteral: (node: ValueNode, variables) => readJsonObject(valueFromASTUntyped(node, variables)),
});

export const DateTimeScalar = new GraphQLScalarType<Date, string>({
  name: 'DateTime',
  description: 'A moment in ISO 8601 form, in UTC, e.g. "2026-11-20T12:00:00.000Z".',
  serialize: (value) => (value as Date).toISOString(),
  parseValue: (value) => readDate(value),
  parseLiteral: (node) => readDate(node.kind === Kind.STRING ? node.value : undefined),
});

function readUsd(value: unknown): bigint {
  const amount = parseUsd(String(value));
  if (amount === undefined)
    throw new GraphQLError('Usd must be decimal text with up to nine places, e.g. "0.00125"');
  return amount;
}

function readJsonObject(value: unknown): JsonObject {
  if (!isJsonObject(value)) throw new GraphQLError('JSONObject must be a JSON object');
  return value;
}

function readDate(value: unknown): Date {
  const date = typeof value === 'string' && ISO_8601.test(value) ? new Date(value) : undefined;
  if (!date || Number.isNaN(date.getTime()))
    throw new GraphQLError(
      'DateTime must be ISO 8601 text of the years 1970 to 9999, e.g. "2026-11-20T12:00:00Z"',
    );
  return date;
}
