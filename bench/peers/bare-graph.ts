// Owns the floor of our own stack: Apollo on Fastify, one mutation, one call of the provider, and nothing else of a gateway.
import type { AddressInfo } from 'node:net';
import { ApolloServer } from '@apollo/server';
import { fastifyApolloHandler } from '@as-integrations/fastify';
import Fastify from 'fastify';
import { Pool } from 'undici';

const upstream = new Pool(process.env.UPSTREAM ?? '', { connections: 256 });

const typeDefs = `
  input MessageInput { role: String! text: String! }
  input CompletionInput { model: String! messages: [MessageInput!]! }
  type Usage { totalTokens: Int! }
  type Completion { id: ID! text: String! usage: Usage! cost: String }
  type CompletePayload { completion: Completion! }
  type Query { ok: Boolean! }
  type Mutation { complete(input: CompletionInput!): CompletePayload! }`;

async function complete(_root: unknown, { input }: { input: { model: string; messages: unknown[] } }) {
  const answer = await upstream.request({
    method: 'POST',
    path: '/v1/chat/completions',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: input.model, messages: input.messages, stream: true }),
  });
  let text = '';
  let totalTokens = 0;
  for (const line of (await answer.body.text()).split('\n')) {
    if (!line.startsWith('data: {')) continue;
    const { choices, usage } = JSON.parse(line.slice('data: '.length));
    text += choices[0]?.delta.content ?? '';
    totalTokens = usage?.total_tokens ?? totalTokens;
  }
  return { completion: { id: crypto.randomUUID(), text, usage: { totalTokens }, cost: null } };
}

const apollo = new ApolloServer({ typeDefs, resolvers: { Mutation: { complete } } });
await apollo.start();
const server = Fastify();
server.post('/graphql', fastifyApolloHandler(apollo));
await server.listen({ host: '127.0.0.1', port: 0 });
process.stdout.write(`${JSON.stringify({ port: (server.server.address() as AddressInfo).port })}\n`);
