import { readFileSync } from 'node:fs';
import pg from 'pg';
import { expect, test } from 'vitest';
import { startTestApp } from '../../support/app.ts';
import { describeEachDatabase } from '../../support/databases.ts';
import { sandboxCatalogue } from '../../support/sandbox-catalogue.ts';

/** The example of the README, as it stands there. */
const EXAMPLE = /```sql\n([\s\S]*?)```/.exec(readFileSync('README.md', 'utf8'))?.[1] ?? '';
const COMPLETE = `mutation { complete(input: { model: "by-sql", messages: [{ role: USER, text: "Hello" }], routing: { fallback: NONE },
  providerOptions: { sandbox: { tokens: 3, tokensPerSecond: 0, firstTokenMs: 0 } } }) { completion { status } } }`;

describeEachDatabase('a change by plain SQL', (kind) => {
  test.skipIf(kind === 'embedded')(
    'a change by plain SQL makes a callable model, changes it and takes it away, each within a second',
    async () => {
      const app = await startTestApp(kind, { overrides: { catalogueData: await sandboxCatalogue() } });
      const client = new pg.Client({ connectionString: app.database.url });
      await client.connect();
      const outcome = async () => {
        const { data, errors } = await app.graph(COMPLETE);
        return errors?.[0]?.extensions.code ?? data.complete.completion.status;
      };
      const within = { timeout: 1_000, interval: 50 };
      try {
        expect(await outcome()).toBe('MODEL_NOT_FOUND');
        await client.query(EXAMPLE);
        await expect.poll(outcome, within).toBe('FINISHED');
        await client.query("update model_instance set enabled = false where slug = 'by-sql'");
        await expect.poll(outcome, within).toBe('MODEL_UNAVAILABLE');
        await client.query("update model_instance set enabled = true, priority = 7 where slug = 'by-sql'");
        const priority = async () =>
          (
            await app.graph(
              '{ routePlan(input: { model: "by-sql", messages: [{ role: USER, text: "x" }] }) { candidates { priority } } }',
            )
          ).data?.routePlan?.candidates[0]?.priority;
        await expect.poll(priority, within).toBe(7);
        await client.query("delete from model_instance where slug = 'by-sql'");
        await expect.poll(outcome, within).toBe('MODEL_NOT_FOUND');
      } finally {
        await client.end();
      }
    },
  );
});
