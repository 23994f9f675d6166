import { beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../../support/app.ts';
import { describeEachDatabase } from '../../support/databases.ts';
import { plainSql } from '../../support/ledger.ts';
import { sandboxInput } from '../../support/run-calls.ts';
import { sandboxCatalogue } from '../../support/sandbox-catalogue.ts';

const RUN = `id status text cost usage { totalTokens } contentRemovedAt plan { summary } attempts { outcome } metadata`;

describeEachDatabase('content', (kind) => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp(kind, {
      environment: { EVENT_RETENTION_SECONDS: '2', CONTENT_SWEEP_SECONDS: '1' },
      overrides: { catalogueData: await sandboxCatalogue() },
    });
  });

  const workspaceThatKeeps = async (contentRetentionDays: number) => {
    const { id, key } = await app.createWorkspace();
    const ask = async (query: string, variables = {}) => {
      const { data, errors } = await app.graph(query, variables, key);
      if (errors) throw Object.assign(new Error(errors[0]?.message), errors[0]?.extensions);
      return data;
    };
    await ask(
      'mutation { createProviderConfig(input: {name: "S", providerKey: "sandbox"}) { providerConfig { id } } }',
    );
    const { updateWorkspace } = await ask(
      'mutation ($input: UpdateWorkspaceInput!) { updateWorkspace(input: $input) { workspace { contentRetentionDays } userErrors { field } } }',
      { input: { id, contentRetentionDays } },
    );
    const run = async (over = {}) => {
      const { complete } = await ask(
        `mutation ($input: CompletionInput!) { complete(input: $input) { completion { ${RUN} } } }`,
        { input: sandboxInput({ text: 'The answer.' }, { metadata: { team: 'red' }, ...over }) },
      );
      return complete.completion;
    };
    const read = async (runId: string) =>
      (await ask(`query ($id: String!) { completion(id: $id) { ${RUN} } }`, { id: runId })).completion;
    return { updateWorkspace, run, read };
  };

  test('content is removed when nobody can replay it any more, if the workspace keeps it for 0 days; the rest stays', async () => {
    const { run, read, updateWorkspace } = await workspaceThatKeeps(0);
    expect(updateWorkspace.workspace.contentRetentionDays).toBe(0);
    const before = await run({ idempotencyKey: 'again' });
    expect(before).toMatchObject({ text: 'The answer.', contentRemovedAt: null });
    await expect
      .poll(async () => (await read(before.id)).contentRemovedAt, { timeout: 10_000 })
      .not.toBeNull();
    const after = await read(before.id);
    expect(after).toEqual({ ...before, text: '', contentRemovedAt: after.contentRemovedAt });
    const removedMs = Date.parse(after.contentRemovedAt);
    expect(Date.now() - removedMs).toBeLessThan(10_000);
    // The key still names the run, which says itself that its content is gone.
    expect((await run({ idempotencyKey: 'again' })).contentRemovedAt).toBe(after.contentRemovedAt);
    if (app.database.url) {
      const [row] = await plainSql(
        app.database.url,
        'select input, text, reasoning, tool_calls, continuation from completion_run where content_removed_at is not null limit 1',
      );
      expect(row).toEqual({ input: {}, text: '', reasoning: '', tool_calls: [], continuation: null });
    }
  });

  test('content is kept for as many days as the workspace says', async () => {
    const [keeps, forgets] = [await workspaceThatKeeps(1), await workspaceThatKeeps(0)];
    const [kept, gone] = [await keeps.run(), await forgets.run()];
    await expect
      .poll(async () => (await forgets.read(gone.id)).contentRemovedAt, { timeout: 10_000 })
      .not.toBeNull();
    expect(await keeps.read(kept.id)).toMatchObject({ text: 'The answer.', contentRemovedAt: null });
  });

  test.skipIf(kind === 'embedded')('content is removed in lots, whatever there is of it', async () => {
    const { run, read } = await workspaceThatKeeps(1);
    const { id } = await run();
    const runId = Buffer.from(id, 'base64url').toString().split(':')[1];
    await plainSql(
      app.database.url!,
      `insert into completion_run (id, workspace_id, caller, status, model, input, plan, node_id, text, ended_at)
       select gen_random_uuid(), workspace_id, caller, 'FINISHED', model, input, plan, node_id, 'old', now() - interval '2 days'
       from completion_run, generate_series(1, 900) where id = $1`,
      [runId],
    );
    const left = async () =>
      (
        await plainSql(app.database.url!, "select count(*)::int as n from completion_run where text = 'old'")
      )[0].n;
    await expect.poll(left, { timeout: 10_000 }).toBe(0);
    expect((await read(id)).text).toBe('The answer.');
  });
});
