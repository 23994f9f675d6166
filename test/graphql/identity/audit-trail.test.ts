import { beforeAll, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../../support/app.ts';
import { catalogueCalls } from '../../support/catalogue-calls.ts';
import { describeEachDatabase } from '../../support/databases.ts';
import { plainSql } from '../../support/ledger.ts';
import { sandboxCatalogue } from '../../support/sandbox-catalogue.ts';

const EVENTS = `query ($filter: AuditFilterInput) { auditEvents(first: 100, filter: $filter) {
  totalCount nodes { id actor action objectType objectId objectName workspaceId changes } } }`;

describeEachDatabase('the audit trail', (kind) => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp(kind, { overrides: { catalogueData: await sandboxCatalogue() } });
  });

  const eventsOf = async (key: string, filter = {}) =>
    (await app.graph(EVENTS, { filter }, key)).data.auditEvents.nodes as Record<string, any>[];

  test('the audit trail tells who made, changed, rotated, revoked, deleted and credited what, without a secret', async () => {
    const { id, key } = await app.createWorkspace();
    const mine = catalogueCalls(app, key);
    const { caller } = (await mine.run('{ viewer { caller } }')).data.viewer;
    const secret = 'sk-canary-0123456789';
    const config = await mine.config({
      providerKey: 'sandbox',
      withDefaultModel: false,
      secret,
      headers: { 'x-team': 'canary-header' },
    });
    await mine.mutate('updateProviderConfig', {
      id: config.id,
      version: config.version,
      name: 'Renamed',
      secret: `${secret}2`,
    });
    const changed = (
      await mine.run('query ($id: ID!) { node(id: $id) { ... on ProviderConfig { version } } }', {
        id: config.id,
      })
    ).data.node;
    await mine.mutate('deleteProviderConfig', { id: config.id, version: changed.version });
    const made = await mine.run(
      'mutation { createApiKey(input: {name: "CI", scopes: [RUN]}) { apiKey { id } secret } }',
    );
    const keyId = made.data.createApiKey.apiKey.id;
    await mine.run('mutation ($id: ID!) { rotateApiKey(input: {id: $id}) { secret } }', { id: keyId });
    await mine.run(
      'mutation ($id: ID!) { updateApiKey(input: {id: $id, allowedModels: ["openai/*"]}) { apiKey { id } } }',
      { id: keyId },
    );
    await mine.run('mutation ($id: ID!) { revokeApiKey(input: {id: $id}) { apiKey { id } } }', { id: keyId });
    await mine.run('mutation { setBudget(input: {period: DAY, limit: "3"}) { budget { limit } } }');
    await app.graph(
      'mutation ($id: ID!) { creditAccount(input: {workspaceId: $id, amount: "7", description: "Invoice 9", idempotencyKey: "9"}) { entry { id } } }',
      { id },
    );
    const events = await eventsOf(key);
    expect(events.map(({ action, objectType }) => `${action} ${objectType}`).reverse()).toEqual([
      'CREATED Workspace',
      'CREATED ApiKey',
      'CREATED ProviderConfig',
      'CHANGED ProviderConfig',
      'DELETED ProviderConfig',
      'CREATED ApiKey',
      'ROTATED ApiKey',
      'CHANGED ApiKey',
      'REVOKED ApiKey',
      'CREATED Budget',
      'CREDITED LedgerEntry',
    ]);
    const own = events.filter(({ actor }) => actor === caller);
    expect(own).toHaveLength(8);
    expect(events.filter(({ actor }) => actor.startsWith('key:'))).toHaveLength(11);
    const [rename] = events.filter(
      ({ action, objectType }) => action === 'CHANGED' && objectType === 'ProviderConfig',
    );
    expect(rename).toMatchObject({
      objectId: config.id,
      changes: { name: { from: config.name, to: 'Renamed' }, secret: 'changed' },
    });
    const text = JSON.stringify(events);
    for (const canary of [secret, 'canary-header', made.data.createApiKey.secret])
      expect(text).not.toContain(canary);
    expect(await eventsOf(key, { objectId: keyId, action: 'REVOKED' })).toHaveLength(1);
    expect(await eventsOf(key, { objectType: 'Budget' })).toMatchObject([
      { changes: { limit_nano: { to: 3e9 } } },
    ]);
  });

  test('the audit trail is seen by administrators, each of its workspace', async () => {
    const { id, key } = await app.createWorkspace();
    const reader = await app.createWorkspace(['READ']);
    expect((await eventsOf(key)).every(({ workspaceId }) => workspaceId === id)).toBe(true);
    const { errors } = await app.graph(EVENTS, {}, reader.key);
    expect(errors?.[0]?.extensions.code).toBe('FORBIDDEN');
    const all = await eventsOf(app.adminKey);
    expect(new Set(all.map(({ workspaceId }) => workspaceId)).size).toBeGreaterThan(1);
    const page = await app.graph(
      '{ auditEvents(first: 2) { nodes { id } pageInfo { endCursor hasNextPage } } }',
      {},
      key,
    );
    expect(page.data.auditEvents.nodes).toHaveLength(2);
  });

  test.skipIf(kind === 'embedded')(
    'the audit trail holds what plain SQL changes, and cannot be changed itself',
    async () => {
      const { id, key } = await app.createWorkspace();
      await plainSql(
        app.database.url!,
        "update workspace set display_name = 'By hand' where slug = (select slug from workspace order by created_at desc limit 1)",
      );
      const [event] = await eventsOf(key);
      expect(event).toMatchObject({
        actor: 'database',
        action: 'CHANGED',
        objectType: 'Workspace',
        workspaceId: id,
      });
      for (const statement of ['delete from audit_event', 'update audit_event set actor = $$me$$']) {
        await expect(plainSql(app.database.url!, statement)).rejects.toThrow(/append-only/);
      }
    },
  );

  test('the audit trail is quiet about what the gateway keeps up to date by itself', async () => {
    const seeded = (await eventsOf(app.adminKey, { objectType: 'ModelSpec' })).filter(
      ({ actor }) => actor === 'gateway',
    );
    expect(seeded).toEqual([]);
  });
});
