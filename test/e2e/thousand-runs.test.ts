import { print } from 'graphql';
import { beforeAll, describe, expect, test } from 'vitest';
import { StreamCompletionDocument } from '../__generated__/documents.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import {
  checkStream,
  collect,
  openSocket,
  openSse,
  type SeenEvent,
  sandboxInput,
} from '../support/run-calls.ts';
import { sandboxCatalogue } from '../support/sandbox-catalogue.ts';

const RUNS = 1_000;
const AT_ONCE = 50;

describe('thousand runs', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startTestApp('embedded', { overrides: { catalogueData: await sandboxCatalogue() } });
  });

  /** Runs `one` a thousand times, fifty at once. */
  const thousand = async (one: (run: number) => Promise<readonly SeenEvent[]>) => {
    const ids = new Set<string>();
    let next = 0;
    const work = async () => {
      while (next < RUNS) {
        const run = next++;
        const events = await one(run);
        expect(checkStream(events).length).toBeGreaterThan(0);
        expect(events.at(-1)!.__typename).toBe('CompletionFinished');
        ids.add(events[0]!.completionId);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    expect(ids.size).toBe(RUNS);
  };

  test('a thousand runs stream over graphql-ws with every event once and one end', async () => {
    await using socket = openSocket(app, app.adminKey);
    await thousand((run) => collect(socket.stream(sandboxInput({ tokens: 20 + (run % 30) }))));
  }, 120_000);

  test('a thousand runs stream over SSE by plain fetch with every event once and one end', async () => {
    await thousand(async (run) => {
      const input = sandboxInput({ tokens: 20 + (run % 30) }, { idempotencyKey: crypto.randomUUID() });
      const { events } = await openSse(app, app.adminKey, {
        query: print(StreamCompletionDocument),
        variables: { input },
      });
      const all = await collect(events);
      return all.filter(({ event }) => event === 'next').map(({ data }) => data.data.streamCompletion);
    });
  }, 120_000);
});
