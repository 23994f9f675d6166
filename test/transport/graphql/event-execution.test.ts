import {
  type ExecutionArgs,
  type ExecutionResult,
  GraphQLBoolean,
  GraphQLInputObjectType,
  GraphQLInt,
  GraphQLInterfaceType,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLScalarType,
  GraphQLSchema,
  GraphQLString,
  parse,
  subscribe,
} from 'graphql';
import { expect, test } from 'vitest';
import { EventExecution } from '../../../src/transport/graphql/event-execution.ts';

let coerced = 0;
const Prompt = new GraphQLScalarType({
  name: 'Prompt',
  parseValue(value) {
    coerced += 1;
    return value;
  },
});
const Input = new GraphQLInputObjectType({
  name: 'Input',
  fields: { prompts: { type: new GraphQLList(Prompt) }, count: { type: GraphQLInt, defaultValue: 3 } },
});
const Event = new GraphQLInterfaceType({
  name: 'Event',
  fields: { seq: { type: GraphQLInt } },
  resolveType: () => 'Delta',
});
const Delta = new GraphQLObjectType({
  name: 'Delta',
  interfaces: [Event],
  fields: {
    seq: { type: GraphQLInt },
    text: {
      type: GraphQLString,
      args: { upper: { type: GraphQLBoolean }, times: { type: GraphQLInt, defaultValue: 1 } },
      resolve: ({ text }, { upper, times }) => (upper ? text.toUpperCase() : text).repeat(times),
    },
    whose: { type: GraphQLString, resolve: (_event, _args, context) => context.who },
    wrong: {
      type: GraphQLString,
      resolve: () => {
        throw new Error('It is');
      },
    },
  },
});
const schema = new GraphQLSchema({
  query: new GraphQLObjectType({ name: 'Query', fields: { seq: { type: GraphQLInt } } }),
  subscription: new GraphQLObjectType({
    name: 'Subscription',
    fields: {
      stream: {
        type: Event,
        args: { input: { type: new GraphQLNonNull(Input) }, after: { type: GraphQLInt, defaultValue: 0 } },
        async *subscribe(_root, { input, after }) {
          for (let seq = after + 1; seq <= input.count; seq += 1)
            yield { seq, text: `${input.prompts[0]}${seq} ` };
        },
        resolve: (event) => event,
      },
    },
  }),
  types: [Delta],
});
const variableValues = { input: { prompts: ['a', 'b'] }, upper: true, show: false, after: 1 };

async function all(answers: AsyncIterable<ExecutionResult> | ExecutionResult): Promise<unknown> {
  if (!(Symbol.asyncIterator in answers)) return JSON.parse(JSON.stringify(answers));
  const results: unknown[] = [];
  for await (const answer of answers) results.push(answer);
  return JSON.parse(JSON.stringify(results));
}

function argsFor(text: string, over: Partial<ExecutionArgs> = {}): ExecutionArgs {
  return { schema, document: parse(text), variableValues, contextValue: { who: 'me' }, ...over };
}

test.each([
  [
    'a variable input',
    'subscription ($input: Input!) { stream(input: $input) { seq ... on Delta { text whose } } }',
  ],
  [
    'an input in the document',
    'subscription { stream(input: {prompts: ["x"], count: 2}) { __typename seq } }',
  ],
  ['an alias', 'subscription ($input: Input!) { mine: stream(input: $input) { place: seq } }'],
  [
    'variables in the selection',
    'subscription ($input: Input!, $upper: Boolean, $show: Boolean!, $times: Int = 2) { stream(input: $input) { seq @include(if: $show) ... on Delta { text(upper: $upper, times: $times) } } }',
  ],
  [
    'variables in a fragment',
    'subscription ($input: Input!, $upper: Boolean) { stream(input: $input) { ...Shown } } fragment Shown on Delta { text(upper: $upper) }',
  ],
  [
    'the subscription in a fragment',
    'subscription ($input: Input!, $after: Int) { ...Root } fragment Root on Subscription { stream(input: $input, after: $after) { seq } }',
  ],
  [
    'a directive on the subscription',
    'subscription ($input: Input!, $upper: Boolean!) { stream(input: $input) @include(if: $upper) { seq } }',
  ],
  [
    'a field that fails',
    'subscription ($input: Input!) { stream(input: $input) { seq ... on Delta { wrong text } } }',
  ],
  [
    'an input that is refused',
    'subscription ($input: Input!, $after: Int) { stream(input: $input, after: $after) { seq } }',
  ],
])('the answers to events are those of graphql-js: %s', async (_what, text) => {
  const args = argsFor(text);
  if (_what === 'an input that is refused') args.variableValues = { input: { unknown: 1 } };
  const expected = await all(await subscribe(args));
  expect(await all(await new EventExecution(schema).subscribe(args))).toEqual(expected);
  expect(JSON.stringify(expected)).toMatch(/"(seq|place|text|errors)"/);
});

test('of several operations in a subscription’s document the named one is answered', async () => {
  const text = `subscription One($input: Input!) { stream(input: $input) { seq } }
    subscription Two($input: Input!) { stream(input: $input) { ... on Delta { text } } }`;
  const events = new EventExecution(schema);
  const document = parse(text);
  for (const operationName of ['One', 'Two', 'One']) {
    const args = argsFor(text, { document, operationName });
    expect(await all(await events.subscribe(args))).toEqual(await all(await subscribe(args)));
  }
});

test('the arguments of a stream are read once, however many events there are', async () => {
  const args = argsFor('subscription ($input: Input!) { stream(input: $input) { seq } }', {
    variableValues: { input: { prompts: ['a', 'b'], count: 50 } },
  });
  coerced = 0;
  expect(await all(await new EventExecution(schema).subscribe(args))).toHaveLength(50);
  expect(coerced).toBe(2);
});

test('leaving the answers of a subscription leaves the stream', async () => {
  const answers = await new EventExecution(schema).subscribe(
    argsFor('subscription ($input: Input!) { stream(input: $input) { seq } }'),
  );
  if (!(Symbol.asyncIterator in answers)) throw new Error('No stream');
  expect(await answers.next()).toMatchObject({ value: { data: { stream: { seq: 1 } } }, done: false });
  await answers.return?.();
  expect(await answers.next()).toEqual({ value: undefined, done: true });
});
