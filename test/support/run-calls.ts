// Owns completions in the form in which tests ask for them: typed operations over HTTP, and both kinds of streams read to their end.
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { print } from 'graphql';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import {
  CompleteDocument,
  type CompletionInput,
  type EventFragment,
  StreamCompletionDocument,
} from '../__generated__/documents.ts';
import { post, type TestApp } from './app.ts';

export const HELLO: CompletionInput['messages'] = [{ role: 'USER', text: 'Hello' }];

/** The sandbox says `tokens` tokens as fast as it can, unless told otherwise. */
export function sandboxInput(
  sandbox: Record<string, unknown> = {},
  over: Partial<CompletionInput> = {},
): CompletionInput {
  return {
    model: 'sandbox/sandbox-text',
    messages: HELLO,
    providerOptions: { sandbox: { tokens: 20, tokensPerSecond: 0, firstTokenMs: 0, ...sandbox } },
    ...over,
  };
}

export async function send<Data, Variables extends Record<string, unknown>>(
  app: TestApp,
  key: string,
  document: TypedDocumentNode<Data, Variables>,
  variables: Variables,
) {
  return post<Data>(`${app.url}${app.app.graphqlPath}`, { query: print(document), variables }, key);
}

export const complete = (app: TestApp, key: string, input: CompletionInput) =>
  send(app, key, CompleteDocument, { input });

export type SeenEvent = EventFragment;

export interface Subscription {
  readonly events: AsyncGenerator<SeenEvent>;
  close(): Promise<void>;
}

/** Over graphql-ws, by the library's own client. */
export function openSocket(app: TestApp, key: string, url = app.url) {
  const client = createClient({
    url: `${url.replace('http', 'ws')}${app.app.graphqlPath}`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${key}` },
    lazy: true,
    retryAttempts: 20,
    retryWait: async () => {},
    generateID: () => crypto.randomUUID(),
  });
  return {
    client,
    subscribe<Data, Variables extends Record<string, unknown>>(
      document: TypedDocumentNode<Data, Variables>,
      variables: Variables,
    ): AsyncGenerator<SeenEvent> {
      return eventsOf(client.iterate({ query: print(document), variables }));
    },
    stream(input: CompletionInput): AsyncGenerator<SeenEvent> {
      return this.subscribe(StreamCompletionDocument, { input });
    },
    [Symbol.asyncDispose]: async () => {
      await client.dispose();
    },
  };
}

async function* eventsOf(results: AsyncIterable<any>): AsyncGenerator<SeenEvent> {
  for await (const { data, errors } of results) {
    if (errors) throw Object.assign(new Error(errors[0].message), { code: errors[0].extensions?.code });
    yield Object.values(data as Record<string, SeenEvent>)[0] as SeenEvent;
  }
}

export interface SseEvent {
  readonly event: string;
  readonly id: string;
  readonly data: any;
}

/** Over SSE, with `fetch` only; the generator ends when the response ends. */
export async function openSse(
  app: TestApp,
  key: string,
  body: { readonly query: string; readonly variables?: object },
  headers: Record<string, string> = {},
): Promise<{ readonly response: Response; readonly events: AsyncGenerator<SseEvent>; abort(): void }> {
  const stop = new AbortController();
  const response = await fetch(`${app.url}/graphql/stream`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      authorization: `Bearer ${key}`,
      ...headers,
    },
    body: JSON.stringify(body),
    signal: stop.signal,
  });
  return { response, events: readSse(response), abort: () => stop.abort() };
}

async function* readSse(response: Response): AsyncGenerator<SseEvent> {
  let rest = '';
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    rest += chunk;
    for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n')) {
      const block = rest.slice(0, end);
      rest = rest.slice(end + 2);
      const fields = Object.fromEntries(
        block
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trimStart()]),
      );
      if (!fields.event) continue;
      yield {
        event: fields.event,
        id: fields.id ?? '',
        data: fields.data ? JSON.parse(fields.data) : undefined,
      };
    }
  }
}

export async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Checks the guarantees that a reader of a stream relies on; raises an error for one that is broken. Gives the text. */
export function checkStream(events: readonly SeenEvent[], after = 0): string {
  let last = after;
  let text = '';
  for (const [index, event] of events.entries()) {
    const from = 'fromSeq' in event ? event.fromSeq : event.seq;
    if (from !== last + 1) throw new Error(`event ${index} begins at ${from}, after ${last}`);
    last = event.seq;
    if (event.__typename === 'TextDelta') text += event.text;
    const terminal = 'completion' in event;
    if (terminal !== (index === events.length - 1))
      throw new Error(`event ${index} of ${events.length} is ${event.__typename}`);
  }
  return text;
}
