// Owns the load, in a process of its own: it takes one job as its argument and prints the measured figures as one line of JSON.
import { Pool } from 'undici';
import WebSocket from 'ws';

export interface Job {
  readonly kind: 'complete' | 'stream' | 'first-token' | 'query' | 'idle';
  readonly peer: 'graph' | 'chat';
  readonly url: string;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly concurrency: number;
  readonly seconds: number;
  /** For `query`: the GraphQL text; for `idle`: how many subscriptions. */
  readonly query?: string;
  readonly count?: number;
}

export interface Measured {
  readonly operations: number;
  readonly tokens: number;
  readonly seconds: number;
  /** Durations of the operations in milliseconds. */
  readonly medianMs: number;
  readonly p99Ms: number;
}

/** How many tokens arrived; and when the first one did, if that is measured. */
interface Done {
  readonly tokens: number;
  readonly firstAt?: number;
}

const TOKEN_LENGTH = 4;
const PAUSE_MS = 2;
/** How long to warm up, until Node has compiled the busy code: a gateway that has just started reaches half the throughput. */
const WARM_UP_SECONDS = { complete: 10, stream: 5, 'first-token': 3, query: 2, idle: 0 };
const MODEL = 'openai/gpt-4.1';
const COMPLETE =
  'mutation ($input: CompletionInput!) { complete(input: $input) { completion { id text usage { totalTokens } cost } } }';
const STREAM =
  'subscription ($input: CompletionInput!) { streamCompletion(input: $input) { __typename seq ... on TextDelta { fromSeq text } ... on CompletionEnded { completion { status } } } }';
const START = 'mutation ($input: CompletionInput!) { startCompletion(input: $input) { completion { id } } }';
const EVENTS = 'subscription ($id: String!) { completionEvents(id: $id) { seq } }';

async function main(job: Job): Promise<Measured | undefined> {
  if (job.kind === 'idle') return idle(job);
  const pool = new Pool(new URL(job.url).origin, { connections: job.concurrency });
  const one = await operationOf(job, pool);
  await runFor(one, job.concurrency, WARM_UP_SECONDS[job.kind]);
  process.stdout.write('warm\n');
  return runFor(one, job.concurrency, job.seconds);
}

async function runFor(one: () => Promise<Done>, concurrency: number, seconds: number): Promise<Measured> {
  const begun = performance.now();
  const until = begun + seconds * 1000;
  const times: number[] = [];
  let tokens = 0;
  const work = async () => {
    while (performance.now() < until) {
      const at = performance.now();
      const { tokens: arrived, firstAt } = await one();
      tokens += arrived;
      times.push((firstAt ?? performance.now()) - at);
      // Low load: each operation begins after the last one has ended.
      if (firstAt !== undefined) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  const elapsed = (performance.now() - begun) / 1000;
  times.sort((a, b) => a - b);
  const quantile = (share: number) => times[Math.floor(times.length * share)] ?? 0;
  return {
    operations: times.length,
    tokens,
    seconds: elapsed,
    medianMs: quantile(0.5),
    p99Ms: quantile(0.99),
  };
}

/** Gives the number of tokens that arrived; raises an error if an answer is not complete. */
async function operationOf(job: Job, pool: Pool): Promise<() => Promise<Done>> {
  const post = async (path: string, body: object) =>
    pool.request({
      method: 'POST',
      path,
      headers: { 'content-type': 'application/json', authorization: `Bearer ${job.key}`, ...job.headers },
      body: JSON.stringify(body),
    });
  const prompt = job.kind === 'stream' ? 'LONG' : 'SHORT';
  const chat = (stream: boolean) => ({
    model: 'gpt-4.1',
    stream,
    messages: [{ role: 'user', content: prompt }],
  });
  if (job.peer === 'chat') {
    if (job.kind === 'complete') {
      return async () => {
        const answer = (await (await post('/v1/chat/completions', chat(false))).body.json()) as any;
        if (answer.choices?.[0]?.message?.content !== 'Hello') throw new Error(JSON.stringify(answer));
        return { tokens: 1 };
      };
    }
    return async () =>
      readChatStream(await post('/v1/chat/completions', chat(true)), job.kind === 'first-token');
  }
  const input = { model: MODEL, messages: [{ role: 'USER', text: prompt }] };
  if (job.kind === 'stream' || job.kind === 'first-token') {
    const sockets = await Promise.all(
      Array.from({ length: Math.min(job.concurrency, 10) }, () => GraphSocket.open(job)),
    );
    let turn = 0;
    return () => {
      turn += 1;
      return (sockets[turn % sockets.length] as GraphSocket).stream(input, job.kind === 'first-token');
    };
  }
  const body = job.kind === 'query' ? { query: job.query } : { query: COMPLETE, variables: { input } };
  return async () => {
    const answer = (await (await post('/graphql', body)).body.json()) as any;
    if (answer.errors || (job.kind === 'complete' && answer.data.complete.completion.text !== 'Hello')) {
      throw new Error(JSON.stringify(answer).slice(0, 500));
    }
    return { tokens: 1 };
  };
}

async function readChatStream(response: Awaited<ReturnType<Pool['request']>>, first: boolean): Promise<Done> {
  let firstAt: number | undefined;
  let rest = '';
  let length = 0;
  let done = false;
  for await (const bytes of response.body) {
    rest += bytes.toString('utf8');
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (!line.startsWith('data: ')) continue;
      if (line === 'data: [DONE]') done = true;
      else length += JSON.parse(line.slice(6)).choices?.[0]?.delta?.content?.length ?? 0;
    }
    if (first && length > 0) firstAt ??= performance.now();
  }
  if (!done) throw new Error('the stream was cut short');
  return { tokens: length / TOKEN_LENGTH, ...(firstAt === undefined ? {} : { firstAt }) };
}

/** A minimal client of the graphql-ws protocol. */
class GraphSocket {
  readonly #socket: WebSocket;
  readonly #sinks = new Map<string, (message: any) => void>();

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (text) => {
      const message = JSON.parse(String(text));
      this.#sinks.get(message.id)?.(message);
    });
  }

  static open({ url, key }: Job): Promise<GraphSocket> {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once('open', () =>
        socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${key}` } })),
      );
      socket.once('message', () => resolve(new GraphSocket(socket)));
    });
  }

  subscribe(query: string, variables: object, sink: (message: any) => void): void {
    const id = crypto.randomUUID();
    this.#sinks.set(id, (message) => {
      if (message.type === 'complete' || message.type === 'error') this.#sinks.delete(id);
      sink(message);
    });
    this.#socket.send(JSON.stringify({ type: 'subscribe', id, payload: { query, variables } }));
  }

  stream(input: object, first: boolean): Promise<Done> {
    return new Promise((resolve, reject) => {
      let firstAt: number | undefined;
      let length = 0;
      let last = 0;
      let ended = false;
      this.subscribe(STREAM, { input }, ({ type, payload }) => {
        if (type === 'complete') {
          if (ended)
            resolve({ tokens: length / TOKEN_LENGTH, ...(firstAt === undefined ? {} : { firstAt }) });
          else reject(new Error('the stream ended without its end'));
          return;
        }
        const event = payload.data?.streamCompletion;
        if (!event || (event.fromSeq ?? event.seq) !== last + 1) {
          reject(new Error(`not in order: ${JSON.stringify(payload).slice(0, 300)}`));
          return;
        }
        last = event.seq;
        length += event.text?.length ?? 0;
        if (first && length > 0) firstAt ??= performance.now();
        if (event.completion) ended = event.completion.status === 'FINISHED';
      });
    });
  }

  close(): void {
    this.#socket.close();
  }
}

/** Opens this many subscriptions to a run that gives no events, and holds them until a line arrives on standard input. */
async function idle(job: Job): Promise<undefined> {
  const first = await GraphSocket.open(job);
  const response = await fetch(`${job.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${job.key}` },
    body: JSON.stringify({
      query: START,
      variables: { input: { model: MODEL, messages: [{ role: 'USER', text: 'SILENT' }] } },
    }),
  });
  const { id } = ((await response.json()) as any).data.startCompletion.completion;
  const sockets = [first];
  const wanted = job.count ?? 1000;
  for (let n = 0; n < wanted; n += 1) {
    if (n % 50 === 49) sockets.push(await GraphSocket.open(job));
    await new Promise<void>((resolve, reject) =>
      (sockets.at(-1) as GraphSocket).subscribe(EVENTS, { id }, ({ type, payload }) =>
        type === 'next' ? resolve() : reject(new Error(JSON.stringify(payload))),
      ),
    );
  }
  process.stdout.write('open\n');
  await new Promise((resolve) => process.stdin.once('data', resolve));
  for (const socket of sockets) socket.close();
  await new Promise((resolve) => setTimeout(resolve, 500));
  return undefined;
}

const measured = await main(JSON.parse(process.argv[2] ?? '{}') as Job);
process.stdout.write(`${JSON.stringify(measured ?? {})}\n`);
process.exit(0);
