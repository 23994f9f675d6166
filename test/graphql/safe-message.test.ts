import { GraphQLError } from 'graphql';
import { expect, test } from 'vitest';
import { safeMessage } from '../../src/graphql/safe-message.ts';

test.each([
  [
    'Int cannot represent non 32-bit signed integer value: 99999999999',
    'Int cannot represent non 32-bit signed integer value.',
  ],
  ['ID cannot represent value: { secret: "x" }', 'ID cannot represent value.'],
  [
    'Enum "Role" cannot represent non-enum value: "USER". Did you mean the enum value "USER"?',
    'Enum "Role" cannot represent non-enum value. Did you mean the enum value "USER"?',
  ],
  [
    'Value "a secret" does not exist in "Role" enum. Did you mean the enum value "USER" or "TOOL"?',
    'The value does not exist in "Role" enum. Did you mean the enum value "USER" or "TOOL"?',
  ],
  ['Expected value of type "Input", found "a secret".', 'Expected value of type "Input".'],
  ['Argument "input" has invalid value {secret: "x"}.', 'Argument "input" has invalid value.'],
  ['Syntax Error: Unexpected BlockString "a secret".', 'Syntax Error: Unexpected BlockString.'],
  [
    'Cannot query field "caler" on type "Viewer". Did you mean "caller"?',
    'Cannot query field "caler" on type "Viewer". Did you mean "caller"?',
  ],
])('a message for a caller repeats no value of it: %s', (message, told) => {
  expect(safeMessage(new GraphQLError(message), false)).toBe(told);
  expect(safeMessage(new GraphQLError(message), true)).toBe(told.replace(/ Did you mean.*/, ''));
});

test('a name in a message that is as long as a prompt is cut', () => {
  expect(safeMessage(new GraphQLError(`Cannot query field "${'x'.repeat(10_000)}"`), false)).toHaveLength(
    504,
  );
});
