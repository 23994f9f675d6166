import { beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../../support/app.ts';
import { catalogueCalls } from '../../support/catalogue-calls.ts';
import { createDatabase, postgresUsable } from '../../support/databases.ts';
import { discrepanciesOf, plainSql } from '../../support/ledger.ts';
import { HELLO, openSocket } from '../../support/run-calls.ts';
import { scriptedAdapter } from '../../support/scripted-adapter.ts';

const STREAM = `subscription ($input: CompletionInput!) { streamCompletion(input: $input) {
  __typename ... on CompletionEnded { completion { id status text cost usage { outputTokens estimated } error { code } } } } }`;

/** Says the name of its model, in pieces with a second between them if there are several. */
const speaking = scriptedAdapter('speaking', async function* ({ model }) {
  yield [{ type: 'text-delta', text: `${model.key} is here` }];
  yield [
    {
      type: 'usage',
      usage: {
        inputTokens: 1,
        cacheReadTokens: 0,
        cacheWriteTokens: 0,
        outputTokens: 1,
        reasoningTokens: 0,
      },
    },
    { type: 'finish', reason: 'stop' },
  ];
});

describe.skipIf(!postgresUsable())('refused ends', () => {
  let app: TestApp;
  let key: string;
  let url: string;

  beforeAll(async () => {
    const database = await createDatabase('postgresql');
    url = database.url ?? '';
    app = await startTestApp('postgresql', {
      database,
      environment: { BILLING: 'on', LEASE_SECONDS: '1' },
      overrides: { adapters: [speaking] },
    });
    const workspace = await app.createWorkspace();
    key = workspace.key;
    await app.graph(
      'mutation ($id: ID!) { creditAccount(input: { workspaceId: $id, amount: "1", description: "Test", idempotencyKey: "1" }) { entry { id } } }',
      { id: workspace.id },
    );
    await plainSql(
      url,
      `create function refuse_poison() returns trigger language plpgsql as $$
       begin
         if new.text like 'poison%' then raise exception 'unstorable text' using errcode = '22021'; end if;
         if new.model = 'cursed' and new.status <> 'RUNNING' then raise exception 'unstorable row' using errcode = '22003'; end if;
         return new;
       end $$;
       create trigger refuse_poison before update on completion_run for each row execute function refuse_poison();
       create function refuse_charge() returns trigger language plpgsql as $$
       begin
         if (select model from completion_run where id = new.run_id) = 'uncharged' then
           raise exception 'unbookable' using errcode = '22003';
         end if;
         return new;
       end $$;
       create trigger refuse_charge before insert on ledger_entry for each row execute function refuse_charge();`,
    );
    return async () => {
      await app.close();
      await database.drop();
    };
  });

  async function read(slug: string) {
    const calls = catalogueCalls(app, key);
    const { key: providerKey } = await calls.provider({ protocol: 'speaking' });
    const config = await calls.config({ providerKey });
    const { canonicalId } = await calls.model({ providerKey, key: slug });
    await calls.mutate('setPrice', { canonicalId, input: '1', output: '1' });
    await calls.instance({ slug, configId: config.id, canonicalId });
    await using socket = openSocket(app, key);
    const events: any[] = [];
    const variables = { input: { model: slug, messages: HELLO } };
    for await (const { data } of socket.client.iterate<any>({ query: STREAM, variables })) {
      events.push(data?.streamCompletion);
    }
    expect(events.filter((event) => event.completion)).toHaveLength(1);
    return events.at(-1).completion;
  }
  const rowOf = async (slug: string) =>
    (
      await plainSql(
        url,
        `select status, text, error->>'code' as code, cost_nano::text as cost,
           (select count(*)::int from hold where run_id = run.id) as holds,
           (select sum(amount_nano)::text from ledger_entry where run_id = run.id) as charged
         from completion_run run where model = $1`,
        [slug],
      )
    )[0];

  test('an end that the database refuses is written without its content, charged by the gateway’s own count', async () => {
    const completion = await read('poison');
    expect(completion).toMatchObject({ status: 'FAILED', text: '', error: { code: 'INTERNAL' } });
    expect(completion.usage).toEqual({ outputTokens: 4, estimated: true });
    const row = await rowOf('poison');
    expect(row).toMatchObject({ status: 'FAILED', text: '', code: 'INTERNAL', holds: 0 });
    expect(row.charged).toBe(`-${row.cost}`);
    expect(await discrepanciesOf(url)).toEqual([]);
  });

  test('an end that the database refuses is written without the charge where that is what cannot be booked', async () => {
    expect(await read('uncharged')).toMatchObject({ status: 'FAILED', cost: null });
    expect(await rowOf('uncharged')).toMatchObject({ status: 'FAILED', cost: null, charged: null, holds: 0 });
    expect(await discrepanciesOf(url)).toEqual([]);
  });

  test('an end that the database refuses in every form still ends its stream, and the row is ended as soon as the database takes it', async () => {
    expect(await read('cursed')).toMatchObject({ status: 'FAILED', error: { code: 'INTERNAL' } });
    expect(await rowOf('cursed')).toMatchObject({ status: 'RUNNING' });
    await plainSql(url, 'drop trigger refuse_poison on completion_run');
    await plainSql(
      url,
      "update completion_run set created_at = created_at - interval '1 hour', updated_at = updated_at - interval '1 hour' where model = 'cursed'",
    );
    await expect
      .poll(async () => (await rowOf('cursed')).status, { timeout: 20_000, interval: 250 })
      .toBe('INTERRUPTED');
    expect(await rowOf('cursed')).toMatchObject({ holds: 0 });
  }, 30_000);
});
