import { randomBytes } from 'node:crypto';
import { beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { catalogueCalls } from '../support/catalogue-calls.ts';
import { describeEachDatabase } from '../support/databases.ts';
import {
  type FakeUpstream,
  type ReceivedRequest,
  type Reply,
  startFakeUpstream,
} from '../support/fake-upstream.ts';
import { plainSql } from '../support/ledger.ts';
import { collect, openSocket } from '../support/run-calls.ts';
import { sandboxCatalogue } from '../support/sandbox-catalogue.ts';

const canary = (name: string) => `canary-${name}-${randomBytes(12).toString('hex')}`;

/** Every secret field holds a text that is nowhere else; whatever leaves the process is searched for them. */
describeEachDatabase('secrets', (kind) => {
  const secrets = {
    secret: canary('secret'),
    changed: canary('changed'),
    header: canary('header'),
    environment: canary('environment'),
    bootstrap: canary('bootstrap'),
    jwt: canary('jwt-secret-of-some-length'),
    ring: Buffer.alloc(32, 'ring').toString('base64'),
  };
  let app: TestApp;
  let upstream: FakeUpstream;
  let mode: 'echo' | 'break' | 'answer' = 'answer';
  let log = '';
  const left: string[] = [];

  /** A provider that repeats whatever it is sent, in every place where it can. */
  const reply = (request: ReceivedRequest): Reply => {
    const told = JSON.stringify(request.headers);
    if (mode === 'echo') {
      return {
        status: 401,
        headers: { 'content-type': 'application/json', 'x-request-id': 'r1' },
        body: JSON.stringify({ error: { message: `Refused: ${told}`, code: 'bad_key' } }),
      };
    }
    if (mode === 'break')
      return { status: 500, headers: { 'content-type': 'text/html' }, body: `<title>${told}</title>` };
    return {
      headers: { 'content-type': 'text/event-stream' },
      body: 'data: {"id":"1","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
    };
  };

  beforeAll(async () => {
    upstream = await startFakeUpstream(reply);
    app = await startTestApp(kind, {
      environment: {
        BOOTSTRAP_API_KEY: secrets.bootstrap,
        SECRET_KEYS: `k1:${secrets.ring}`,
        JWT_SECRET: secrets.jwt,
        JWT_ISSUER: 'i',
        JWT_AUDIENCE: 'a',
        SOME_PROVIDER_KEY: secrets.environment,
        LOG_LEVEL: 'trace',
      },
      overrides: {
        catalogueData: await sandboxCatalogue(),
        logDestination: {
          write(line: string) {
            log += line;
          },
        },
      },
    });
    return () => upstream.close();
  });

  test('a secret is in no answer, log, error, event or row, whatever the provider says', async () => {
    const mine = catalogueCalls(app, app.adminKey);
    const ask = async (query: string, variables = {}) => {
      const answer = await app.graph(query, variables);
      left.push(JSON.stringify(answer));
      return answer;
    };
    const auth = { type: 'header', header: 'authorization', prefix: 'Bearer ', optional: false };
    const provider = await mine.provider({ protocol: 'openai-chat', auth, baseUrl: upstream.url });
    const headers = { 'x-team-token': secrets.header };
    const first = await mine.config({ providerKey: provider.key, secret: secrets.secret, headers });
    const second = await mine.config({
      providerKey: provider.key,
      secret: undefined,
      secretEnv: 'SOME_PROVIDER_KEY',
      headers,
    });
    left.push(JSON.stringify([first, second]));
    const { canonicalId } = await mine.model({ providerKey: provider.key });
    for (const { id } of [first, second]) await mine.instance({ configId: id, canonicalId });
    const changed = await mine.mutate('updateProviderConfig', {
      id: first.id,
      version: first.version,
      secret: secrets.changed,
    });
    left.push(JSON.stringify(changed));
    const refusedInput = await ask(
      'mutation ($input: UpdateProviderConfigInput!) { updateProviderConfig(input: $input) { userErrors { field message } } }',
      { input: { id: first.id, version: 99, secret: secrets.secret, baseUrl: 'not a url' } },
    );
    expect(refusedInput.data.updateProviderConfig.userErrors.length).toBeGreaterThan(0);
    const input = {
      model: canonicalId,
      messages: [{ role: 'USER', text: 'Hello' }],
      routing: { patienceMs: 0 },
    };
    for (const next of ['answer', 'echo', 'break'] as const) {
      mode = next;
      for (const { id } of [first, second]) {
        await ask(
          'mutation ($id: ID!) { checkProviderConfig(input: {id: $id}) { providerConfig { health { state error { message } } } userErrors { message } } }',
          { id },
        );
        await ask(
          'mutation ($id: ID!) { syncModels(input: {configId: $id}) { sync { state error { message } } userErrors { message } } }',
          { id },
        );
      }
      await ask(
        'mutation ($input: CompletionInput!) { complete(input: $input) { completion { id text attempts { error { message } } } } }',
        { input },
      );
      await using socket = openSocket(app, app.adminKey);
      left.push(JSON.stringify(await collect(socket.stream(input as never)).catch(String)));
    }
    await ask(
      '{ completions(first: 50) { nodes { id text error { message } attempts { error { message code } } } } }',
    );
    await ask(
      '{ providerConfigs(first: 50) { nodes { id name hasSecret secretHint secretEnv hasHeaders settings health { error { message } } } } }',
    );
    await ask('{ auditEvents(first: 100) { nodes { actor action objectName changes } } }');
    await ask('{ apiKeys { id name prefix } viewer { caller } }');
    await ask('{ nonsense }');
    const metrics = await fetch(`${app.url}/health/ready`);
    left.push(await metrics.text(), JSON.stringify([...metrics.headers]));
    if (app.database.url) {
      for (const table of [
        'provider_config',
        'completion_run',
        'run_attempt',
        'model_sync',
        'audit_event',
        'api_key',
        'idempotency_key',
      ]) {
        left.push(JSON.stringify(await plainSql(app.database.url, `select * from ${table}`)));
      }
    }
    // The provider did get them: the search is not in vain.
    const sent = JSON.stringify(upstream.requests.map(({ headers: given }) => given));
    for (const name of ['changed', 'header', 'environment'] as const) expect(sent).toContain(secrets[name]);
    expect(log).toContain('A provider failed');
    for (const [name, secret] of Object.entries(secrets)) {
      expect([name, linesWith(secret, left.join('\n'))]).toEqual([name, []]);
      expect([name, linesWith(secret, log)]).toEqual([name, []]);
    }
  });
});

function linesWith(text: string, within: string): string[] {
  return within
    .split('\n')
    .filter((line) => line.includes(text))
    .map((line) => {
      const at = line.indexOf(text);
      return line.slice(Math.max(0, at - 200), at + 20);
    });
}
