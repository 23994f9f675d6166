// Owns the messages of errors that GraphQL's own stages make: they tell where and why, and repeat no value that the caller sent, since that may be a
// secret or a whole prompt.
import { type GraphQLError, Kind } from 'graphql';

const MAX_LENGTH = 500;
const SUGGESTION = / Did you mean (?:the enum value )?(?:"\w+"(?:, or |, | or )?)+\?$/;
/** Where graphql-js prints a value, and the message without it. */
const PRINTED_VALUES: readonly (readonly [RegExp, string])[] = [
  [/^((?:\w+|Enum "\w+") cannot represent [\w -]*value): [\s\S]*$/, '$1.'],
  [/^Value "[\s\S]*" does not exist in ("\w+" enum\.)[\s\S]*$/, 'The value does not exist in $1'],
  [/^(Expected value of type "[^"]+"), found [\s\S]*$/, '$1.'],
  [/^(Argument "\w+" has invalid value) [\s\S]*$/, '$1.'],
  [/^(Syntax Error: [\s\S]*?(?:Block)?String) "[\s\S]*$/, '$1.'],
];

export function safeMessage(error: GraphQLError, hideSchema: boolean): string {
  const words = coercionWords(error) ?? withoutValues(error.message);
  const shown = hideSchema ? words.replace(SUGGESTION, '') : words;
  return shown.length > MAX_LENGTH ? `${shown.slice(0, MAX_LENGTH)} ...` : shown;
}

/** True if a variable's value does not fit its type. */
export function isCoercionError(error: GraphQLError): boolean {
  return variableOf(error) !== undefined && error.path === undefined;
}

function variableOf({ nodes }: GraphQLError): string | undefined {
  const [node] = nodes?.length === 1 ? nodes : [];
  return node?.kind === Kind.VARIABLE_DEFINITION ? node.variable.name.value : undefined;
}

/** graphql-js puts the printed value before the place, and the reason last. */
function coercionWords(error: GraphQLError): string | undefined {
  const variable = variableOf(error);
  const reason = error.originalError?.message;
  const end = `; ${reason}`;
  if (variable === undefined || reason === undefined || !error.message.endsWith(end)) return undefined;
  const [, place = variable] = / at "([\w.[\]]*)"$/.exec(error.message.slice(0, -end.length)) ?? [];
  return `Variable "$${variable}" got an invalid value at "${place}"; ${withoutValues(reason)}`;
}

function withoutValues(message: string): string {
  for (const [form, rest] of PRINTED_VALUES) {
    if (form.test(message)) return message.replace(form, rest) + (SUGGESTION.exec(message)?.[0] ?? '');
  }
  return message;
}
