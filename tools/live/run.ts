// Owns `npm run live`: calls the real providers whose keys are in the environment, with one request for each feature. It spends a little money.
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { createApp } from '../../dist/src/app.js';
import { readConfig } from '../../dist/src/configuration/config.js';
import { loadEnvironmentFile } from '../../dist/src/configuration/environment.js';

interface Outcome {
  readonly provider: string;
  readonly step: string;
  readonly ok: boolean;
  readonly words: string;
  readonly ms: number;
}

const KEY = 'mg_live_0123456789abcdef';
const TOOL = {
  name: 'get_weather',
  description: 'The weather of a town',
  parameters: { type: 'object', properties: { town: { type: 'string' } }, required: ['town'] },
};

loadEnvironmentFile();
const app = await createApp(
  readConfig({
    ...process.env,
    NODE_ENV: 'test',
    PORT: '0',
    DATA_DIR: 'memory://',
    DATABASE_URL: undefined,
    REDIS_URL: undefined,
    BOOTSTRAP_API_KEY: KEY,
    SECRET_KEYS: `live:${Buffer.alloc(32, 1).toString('base64')}`,
    SANDBOX: 'off',
    LOG_LEVEL: process.env.LOG_LEVEL ?? 'silent',
  }),
);
const endpoint = `${app.url}${app.graphqlPath}`;

async function graph(query: string, variables: Record<string, unknown> = {}): Promise<any> {
  const response = await fetch(endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}` },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as any;
  if (errors) throw new Error(`${errors[0].extensions?.code}: ${errors[0].message}`);
  return data;
}

const COMPLETE = `mutation ($input: CompletionInput!) { complete(input: $input) {
  completion { text finishReason cost toolCalls { name argumentsText } usage { inputTokens outputTokens reasoningTokens estimated } }
} }`;

async function plain(model: string): Promise<string> {
  const input = {
    model,
    messages: [{ role: 'USER', text: 'Answer with the one word: ready' }],
    parameters: { maxTokens: 400 },
  };
  const { completion } = (await graph(COMPLETE, { input })).complete;
  if (!/ready/i.test(completion.text)) throw new Error(`it said ${JSON.stringify(completion.text)}`);
  return usageWords(completion);
}

async function tool(model: string): Promise<string> {
  const input = {
    model,
    messages: [{ role: 'USER', text: 'What is the weather in Paris? Use the tool.' }],
    tools: [TOOL],
    parameters: { maxTokens: 400 },
  };
  const { completion } = (await graph(COMPLETE, { input })).complete;
  const [call] = completion.toolCalls;
  if (call?.name !== TOOL.name || !/paris/i.test(call.argumentsText))
    throw new Error(`it called ${JSON.stringify(call)}`);
  return call.argumentsText;
}

async function streamed(model: string): Promise<string> {
  const client = createClient({
    url: endpoint.replace('http', 'ws'),
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${KEY}` },
    generateID: () => crypto.randomUUID(),
  });
  const input = {
    model,
    messages: [{ role: 'USER', text: 'Count from 1 to 20, only the numbers.' }],
    parameters: { maxTokens: 600 },
  };
  const query = `subscription ($input: CompletionInput!) { streamCompletion(input: $input) {
    __typename seq ... on TextDelta { text } ... on CompletionEnded { completion { finishReason error { code message } usage { inputTokens outputTokens reasoningTokens estimated } cost } } } }`;
  let deltas = 0;
  let end: any;
  for await (const { data, errors } of client.iterate<any>({ query, variables: { input } })) {
    if (errors) throw new Error(errors[0]?.message);
    if (data.streamCompletion.__typename === 'TextDelta') deltas += 1;
    end = data.streamCompletion;
  }
  await client.dispose();
  if (end?.__typename !== 'CompletionFinished')
    throw new Error(`${end?.__typename} ${end?.completion?.error?.message ?? ''}`);
  return `${deltas} deltas, ${usageWords(end.completion)}`;
}

async function sync(configId: string): Promise<string> {
  const query =
    'mutation ($id: ID!) { syncModels(input: { configId: $id }) { syncs { source listed added error { code message } } } }';
  const [outcome] = (await graph(query, { id: configId })).syncModels.syncs;
  if (outcome.error) throw new Error(`${outcome.error.code}: ${outcome.error.message}`);
  return `${outcome.listed} models from the ${outcome.source.toLowerCase()}, ${outcome.added.length} new`;
}

async function health(id: string): Promise<string> {
  const query =
    'mutation ($id: ID!) { checkProviderConfig(input: { id: $id }) { providerConfig { health { state fault errorMessage latencyMs } } } }';
  const found = (await graph(query, { id })).checkProviderConfig.providerConfig.health;
  if (found.state !== 'HEALTHY') throw new Error(`${found.fault}: ${found.errorMessage}`);
  return `${found.latencyMs} ms`;
}

function usageWords({ usage, finishReason, cost }: any): string {
  const { inputTokens, outputTokens, reasoningTokens, estimated } = usage;
  return `${finishReason}, ${inputTokens}+${outputTokens}+${reasoningTokens} tokens${estimated ? ' (estimated)' : ''}, $${cost ?? '?'}`;
}

const { providerConfigs, providerSpecs } = await graph(`{
  providerConfigs(first: 100, filter: { origin: ENVIRONMENT }) { nodes { id name providerKey instances(first: 1) { nodes { slug } } } }
  providerSpecs(first: 100) { totalCount }
}`);
const outcomes: Outcome[] = [];
for (const config of providerConfigs.nodes) {
  const model: string | undefined = config.instances.nodes[0]?.slug;
  const steps: [string, () => Promise<string>][] = [
    ['health', () => health(config.id)],
    ['sync', () => sync(config.id)],
    ...(model
      ? ([
          [`plain ${model}`, () => plain(model)],
          [`streamed ${model}`, () => streamed(model)],
          [`tool ${model}`, () => tool(model)],
        ] as [string, () => Promise<string>][])
      : []),
  ];
  for (const [step, work] of steps) {
    const begun = performance.now();
    const { ok, words } = await work().then(
      (text) => ({ ok: true, words: text }),
      (error: Error) => ({ ok: false, words: error.message }),
    );
    const ms = Math.round(performance.now() - begun);
    outcomes.push({ provider: config.providerKey, step, ok, words, ms });
    console.log(
      `${ok ? 'ok  ' : 'FAIL'} ${config.providerKey.padEnd(20)} ${step.padEnd(40)} ${String(ms).padStart(6)} ms  ${words}`,
    );
  }
}
await app.close();
const tried = new Set(outcomes.map(({ provider }) => provider));
console.log(`\nSkipped, since no key of theirs is in the environment: ${await skipped(tried)}`);
const failed = outcomes.filter(({ ok }) => !ok).length;
console.log(
  `${outcomes.length - failed} passed, ${failed} failed, of ${tried.size} of ${providerSpecs.totalCount} providers`,
);
process.exit(failed === 0 ? 0 : 1);

async function skipped(called: ReadonlySet<string>): Promise<string> {
  const { loadCatalogueData } = await import('../../dist/src/domain/catalogue/catalogue-data.js');
  const { providers } = await loadCatalogueData();
  return providers
    .filter(({ key, protocol, envVars }) => protocol && envVars.secret.length > 0 && !called.has(key))
    .map(({ key, envVars }) => `${key} (${envVars.secret[0]})`)
    .join(', ');
}
