// Owns the lower bound of the gateway's own libraries: Apollo on Fastify and graphql-ws with one call of the provider, and nothing else of a gateway.
import type { AddressInfo } from 'node:net';
import { ApolloServer } from '@apollo/server';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import Fastify from 'fastify';
import { buildSchema, type GraphQLField } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { Pool } from 'undici';
import { WebSocketServer } from 'ws';

const upstream = new Pool(process.env.UPSTREAM ?? '', { connections: 256 });

const schema = buildSchema(`
  input MessageInput { role: String! text: String! }
  input CompletionInput { model: String! messages: [MessageInput!]! }
  type Usage { totalTokens: Int! }
  type Completion { id: ID! status: String! text: String! usage: Usage! cost: String }
  type CompletePayload { completion: Completion! }
  interface CompletionEvent { seq: Int! }
  type TextDelta implements CompletionEvent { seq: Int! fromSeq: Int! text: String! }
  type CompletionEnded implements CompletionEvent { seq: Int! completion: Completion! }
  type Query { ok: Boolean! }
  type Mutation { complete(input: CompletionInput!): CompletePayload! }
  type Subscription { streamCompletion(input: CompletionInput!): CompletionEvent! }`);

interface Asked {
  readonly input: { readonly model: string; readonly messages: readonly { text: string }[] };
}

/** Called with the data of each read. */
async function* ask({ input }: Asked): AsyncGenerator<{ text: string; totalTokens: number }> {
  const answer = await upstream.request({
    method: 'POST',
    path: '/v1/chat/completions',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: input.model, messages: input.messages, stream: true }),
  });
  let rest = '';
  let totalTokens = 0;
  for await (const bytes of answer.body) {
    const lines = (rest + bytes).split('\n');
    rest = lines.pop() ?? '';
    let text = '';
    for (const line of lines) {
      if (!line.startsWith('data: {')) continue;
      const { choices, usage } = JSON.parse(line.slice('data: '.length));
      text += choices[0]?.delta.content ?? '';
      totalTokens = usage?.total_tokens ?? totalTokens;
    }
    yield { text, totalTokens };
  }
}

function completionOf(text: string, totalTokens: number) {
  return { id: crypto.randomUUID(), status: 'FINISHED', text, usage: { totalTokens }, cost: null };
}

async function complete(_root: unknown, asked: Asked) {
  let whole = '';
  let used = 0;
  for await (const { text, totalTokens } of ask(asked)) {
    whole += text;
    used = totalTokens;
  }
  return { completion: completionOf(whole, used) };
}

async function* streamCompletion(_root: unknown, asked: Asked) {
  let seq = 0;
  let whole = '';
  let used = 0;
  for await (const { text, totalTokens } of ask(asked)) {
    whole += text;
    used = totalTokens;
    if (text === '') continue;
    seq += 1;
    yield { __typename: 'TextDelta', seq, fromSeq: seq, text };
  }
  yield { __typename: 'CompletionEnded', seq: seq + 1, completion: completionOf(whole, used) };
}

Object.assign(schema.getMutationType()?.getFields().complete as GraphQLField<unknown, unknown>, {
  resolve: complete,
});
Object.assign(schema.getSubscriptionType()?.getFields().streamCompletion as GraphQLField<unknown, unknown>, {
  subscribe: streamCompletion,
  resolve: (event: unknown) => event,
});

const apollo = new ApolloServer({ schema });
await apollo.start();
const server = Fastify();
server.post('/graphql', fastifyApolloHandler(apollo));
useServer({ schema }, new WebSocketServer({ server: server.server, path: '/graphql' }));
await server.listen({ host: '127.0.0.1', port: 0 });
process.stdout.write(`${JSON.stringify({ port: (server.server.address() as AddressInfo).port })}\n`);
