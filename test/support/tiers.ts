// Owns tiers for the tests of routing: instances under one tag, in falling priority, each on a scripted provider of its own.
import type { TestApp } from './app.ts';
import { type CatalogueCalls, catalogueCalls } from './catalogue-calls.ts';
import { type ReceivedRequest, type Reply, startFakeUpstream } from './fake-upstream.ts';
import { HELLO, openSocket } from './run-calls.ts';

const COMPLETE = `mutation ($input: CompletionInput!) { complete(input: $input) { completion {
  status text explanation instance { slug } attempts { outcome error { code } }
} } }`;
const STREAM = `subscription ($input: CompletionInput!) { streamCompletion(input: $input) {
  __typename seq ... on TextDelta { text servedBy } ... on CompletionRerouted { from to }
  ... on CompletionEnded { completion { status text explanation attempts { outcome } } }
} }`;
const EVENT_STREAM = { 'content-type': 'text/event-stream' };

const chunk = (choice: object) =>
  `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', model: 'served', choices: [{ index: 0, ...choice }] })}\n\n`;
const said = (text: string) => chunk({ delta: { content: text } });
const END = `${chunk({ delta: {}, finish_reason: 'stop' })}data: [DONE]\n\n`;

export const GOOD: Reply = { headers: EVENT_STREAM, body: [said('All '), said('of it'), END] };
export const SILENT: Reply = { body: '', fault: 'silent' };
export const BROKEN_OFF: Reply = {
  headers: EVENT_STREAM,
  body: said('Half') + said(' and more'),
  fault: { cutAfterBytes: said('Half').length },
};

export function refusal(status: number, message = 'Down'): Reply {
  return {
    status,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ error: { message } }),
  };
}

export interface Tiers {
  /** `tag:<their tag>`. */
  readonly model: string;
  readonly slugs: readonly string[];
  /** Number of calls that the provider of a tier has received. */
  hits(tier: number): number;
  lastRequest(tier: number): ReceivedRequest | undefined;
  /** Resolves when the provider of a tier has received so many calls. */
  waitForHits(tier: number, count: number): Promise<void>;
  /** Sets what the provider of a tier answers from now on; the last reply is repeated. */
  answer(tier: number, ...script: readonly Reply[]): void;
}

export interface TieredWorkspace {
  readonly key: string;
  readonly calls: CatalogueCalls;
  /** Makes one tier for each script; the fields of `over` replace those of its instance. */
  tiers(scripts: readonly (readonly Reply[])[], over?: (tier: number) => object): Promise<Tiers>;
  ask(model: string, routing?: object, key?: string): Promise<any>;
  stream(model: string, routing?: object): Promise<any[]>;
  circuitOf(slug: string): Promise<string>;
}

let serial = 0;

export async function tieredWorkspace(app: TestApp): Promise<TieredWorkspace> {
  const { key } = await app.createWorkspace();
  const calls = catalogueCalls(app, key);
  return {
    key,
    calls,
    async tiers(scripts, over = () => ({})) {
      const tag = `tiers${++serial}`;
      const providers = await Promise.all(scripts.map((script) => startScripted(script)));
      const slugs: string[] = [];
      for (const [tier, { url }] of providers.entries()) {
        const provider = await calls.provider({ baseUrl: url });
        const config = await calls.config({ providerKey: provider.key });
        const { canonicalId } = await calls.model({ providerKey: provider.key });
        const slug = `${tag}-${tier}`;
        await calls.instance({
          slug,
          configId: config.id,
          canonicalId,
          tags: [tag],
          priority: 100 - tier,
          timeLimits: { firstTokenMs: 1_000, betweenTokensMs: 1_000 },
          ...over(tier),
        });
        slugs.push(slug);
      }
      return {
        model: `tag:${tag}`,
        slugs,
        hits: (tier) => providers[tier]?.requests.length ?? 0,
        lastRequest: (tier) => providers[tier]?.requests.at(-1),
        waitForHits: (tier, count) => providers[tier]!.waitForRequests(count),
        answer: (tier, ...script) => providers[tier]?.answer(script),
      };
    },
    async ask(model, routing = {}, caller = key) {
      const input = { model, messages: HELLO, routing };
      const { data, errors } = await app.graph(COMPLETE, { input }, caller);
      return data?.complete?.completion ?? { error: errors?.[0]?.message, ...errors?.[0]?.extensions };
    },
    async stream(model, routing = {}) {
      await using socket = openSocket(app, key);
      const events: any[] = [];
      const input = { model, messages: HELLO, routing };
      for await (const { data, errors } of socket.client.iterate<any>({
        query: STREAM,
        variables: { input },
      })) {
        if (errors) throw new Error(errors[0]?.message);
        if (data) events.push(data.streamCompletion);
      }
      return events;
    },
    async circuitOf(slug) {
      const { data } = await calls.run(
        'query ($slug: String!) { modelInstance(slug: $slug) { circuit { state } } }',
        { slug },
      );
      return data.modelInstance.circuit.state;
    },
  };
}

/** Closed when the test file ends, together with the process of its worker. */
async function startScripted(first: readonly Reply[]) {
  let script = [...first];
  const upstream = await startFakeUpstream(() => {
    const reply = script.length > 1 ? script.shift() : script[0];
    return reply ?? refusal(500, 'The test gave no script');
  });
  return Object.assign(upstream, {
    answer(next: readonly Reply[]) {
      script = [...next];
    },
  });
}
