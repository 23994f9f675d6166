import { beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../../support/app.ts';
import { describeEachDatabase } from '../../support/databases.ts';
import { sandboxCatalogue } from '../../support/sandbox-catalogue.ts';
import {
  BROKEN_OFF,
  GOOD,
  refusal,
  SILENT,
  type TieredWorkspace,
  tieredWorkspace,
} from '../../support/tiers.ts';

const OPEN_MS = 400;

describeEachDatabase('routing', (kind) => {
  let app: TestApp;
  let mine: TieredWorkspace;

  beforeAll(async () => {
    app = await startTestApp(kind, {
      environment: { CIRCUIT_FAILURES: '2', CIRCUIT_OPEN_MS: String(OPEN_MS) },
      // Backoff without chance, and short.
      overrides: { random: () => 0.1, catalogueData: await sandboxCatalogue() },
    });
    mine = await tieredWorkspace(app);
  });

  /** Until the circuit of an instance that is down lets a probe through. */
  async function halfOpen(slug: string) {
    const once = { fallback: 'NONE', maxAttemptsPerInstance: 1 };
    for (let request = 0; request < 2; request += 1) await mine.ask(slug, once);
    await expect.poll(() => mine.circuitOf(slug), { interval: 20 }).toBe('HALF_OPEN');
  }

  describe('attempts', () => {
    test('with two of three tiers down the first request with default settings is answered by the third', async () => {
      const { model, slugs, hits } = await mine.tiers([[refusal(500)], [refusal(503)], [GOOD]]);
      const answer = await mine.ask(model);
      expect(answer).toMatchObject({ status: 'FINISHED', text: 'All of it', instance: { slug: slugs[2] } });
      expect([hits(0), hits(1), hits(2)]).toEqual([2, 2, 1]);
    });

    test('with five of six tiers down the first request with default settings is answered by the sixth', async () => {
      const down = [refusal(503)];
      const { model, slugs } = await mine.tiers([down, down, down, down, down, [GOOD]]);
      expect(await mine.ask(model)).toMatchObject({ status: 'FINISHED', instance: { slug: slugs[5] } });
    });

    test('a tier that was left for the next one is asked again once every other has failed too', async () => {
      const { model, slugs, hits } = await mine.tiers([[refusal(503), refusal(503), GOOD], [refusal(503)]]);
      expect(await mine.ask(model, { fallback: 'SAME_MODEL' })).toMatchObject({
        status: 'FINISHED',
        instance: { slug: slugs[0] },
      });
      expect([hits(0), hits(1)]).toEqual([3, 3]);
    });
  });

  describe('half-open circuits', () => {
    test('a half-open circuit costs no request for which a healthy instance waits: it is probed beside it, by one call', async () => {
      const { model, slugs, hits, answer, waitForHits } = await mine.tiers([[refusal(503)], [GOOD]], () => ({
        timeLimits: { firstTokenMs: 20_000 },
      }));
      await halfOpen(slugs[0] as string);
      // The probe is under way until the test has ended.
      answer(0, SILENT);
      const before = hits(0);
      const answers = await Promise.all(Array.from({ length: 10 }, () => mine.ask(model)));
      for (const each of answers) {
        expect(each).toMatchObject({ instance: { slug: slugs[1] }, attempts: [{ outcome: 'SUCCEEDED' }] });
      }
      await waitForHits(0, before + 1);
      expect(await mine.ask(model)).toMatchObject({ attempts: [{ outcome: 'SUCCEEDED' }] });
      expect(hits(0)).toBe(before + 1);
    });

    test('a half-open circuit closes after a probe that was answered, and its instance is the first choice again', async () => {
      const { model, slugs, hits, answer, lastRequest } = await mine.tiers([[refusal(503)], [GOOD]]);
      await halfOpen(slugs[0] as string);
      answer(0, GOOD);
      const before = hits(0);
      expect(await mine.ask(model)).toMatchObject({ instance: { slug: slugs[1] } });
      await expect.poll(() => mine.circuitOf(slugs[0] as string), { interval: 10 }).toBe('CLOSED');
      expect(hits(0)).toBe(before + 1);
      // The probe is a small request of the gateway's own: what callers say is not sent twice.
      expect(lastRequest(0)?.body).not.toContain('Hello');
      expect(await mine.ask(model)).toMatchObject({ instance: { slug: slugs[0] } });
    });

    test('a half-open circuit closes where only the second choice is wanted with fallback NONE', async () => {
      const { model, slugs, answer } = await mine.tiers([[refusal(503)], [GOOD]]);
      await halfOpen(slugs[0] as string);
      answer(0, GOOD);
      expect(await mine.ask(model, { fallback: 'NONE' })).toMatchObject({ instance: { slug: slugs[1] } });
      await expect.poll(() => mine.circuitOf(slugs[0] as string), { interval: 10 }).toBe('CLOSED');
    });

    test('a half-open circuit takes one call, not three, where there is nothing else', async () => {
      const { slugs, hits } = await mine.tiers([[refusal(503)]]);
      await halfOpen(slugs[0] as string);
      const before = hits(0);
      expect(await mine.ask(slugs[0] as string)).toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
      expect(hits(0)).toBe(before + 1);
      // The last resort is one call as well.
      expect(await mine.ask(slugs[0] as string)).toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
      expect(hits(0)).toBe(before + 2);
    });

    test('a half-open circuit that holds a fallback back does not fail a request that its first choice answers when it is asked again', async () => {
      const { model, slugs, hits, answer } = await mine.tiers([[BROKEN_OFF, GOOD], [refusal(503)]]);
      await halfOpen(slugs[1] as string);
      // Somebody else's request is the probe meanwhile, and waits.
      answer(1, SILENT);
      const before = hits(1);
      const probing = mine.ask(slugs[1] as string, { fallback: 'NONE' });
      await expect.poll(() => hits(1), { interval: 5 }).toBe(before + 1);
      const events = await mine.stream(model, { fallback: 'SAME_MODEL' });
      expect(events.at(-1)).toMatchObject({
        __typename: 'CompletionFinished',
        completion: { text: 'All of it', attempts: [{ outcome: 'FAILED' }, { outcome: 'SUCCEEDED' }] },
      });
      expect(events.filter(({ __typename }) => __typename === 'CompletionRerouted')).toMatchObject([
        { from: slugs[0], to: slugs[0] },
      ]);
      expect(hits(1)).toBe(before + 1);
      await probing;
    });
  });

  describe('sandbox', () => {
    async function workspace() {
      const own = await tieredWorkspace(app);
      const config = await own.calls.config({ name: 'S', providerKey: 'sandbox', secret: undefined });
      const sandbox = { configId: config.id, canonicalId: 'sandbox/sandbox-text' };
      return { own, sandbox };
    }

    test.each(['tag', 'slug', 'auto', 'canonical id'])(
      'the sandbox never answers a request that named something else: by %s',
      async (way) => {
        const { own, sandbox } = await workspace();
        await own.calls.instance({ slug: 'made-by-hand', priority: 1_000, ...sandbox });
        const { model, slugs, hits } = await own.tiers([[refusal(401, 'Bad key')]]);
        const { data } = await own.calls.run(
          'query ($slug: String!) { modelInstance(slug: $slug) { canonicalId } }',
          { slug: slugs[0] },
        );
        const named = {
          tag: model,
          slug: slugs[0],
          auto: 'auto',
          'canonical id': data.modelInstance.canonicalId,
        };
        const answer = await own.ask(named[way as keyof typeof named], { fallback: 'ANY' });
        expect(answer).toMatchObject({ code: 'PROVIDER_AUTHENTICATION' });
        expect(hits(0)).toBe(1);
      },
    );

    test('the sandbox never stands in for instances that are all left out', async () => {
      const { own } = await workspace();
      const { model } = await own.tiers([[GOOD]], () => ({ enabled: false }));
      expect(await own.ask(model)).toMatchObject({ code: 'MODEL_UNAVAILABLE', reason: 'INSTANCE_DISABLED' });
      expect(await own.ask('auto')).toMatchObject({ code: 'MODEL_UNAVAILABLE' });
    });

    test('the sandbox answers what names it, a tag that was given to it by hand, and "auto" where there is nothing else', async () => {
      const { own, sandbox } = await workspace();
      await own.calls.instance({ slug: 'tried', tags: ['try'], ...sandbox });
      for (const model of ['tried', 'sandbox/sandbox-text', 'tag:try', 'auto']) {
        expect([model, await own.ask(model)]).toMatchObject([model, { status: 'FINISHED' }]);
      }
    });
  });

  test('a key that may use one tag and asks for another is refused, though an instance that it may use waits', async () => {
    const ab = await mine.tiers([[GOOD]]);
    const chat = await mine.tiers([[GOOD]]);
    const { data } = await mine.calls.run(
      'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }',
      { input: { name: 'Bound', scopes: ['RUN'], allowedModels: [ab.model] } },
    );
    const key = data.createApiKey.secret;
    expect(await mine.ask(ab.model, {}, key)).toMatchObject({ status: 'FINISHED' });
    for (const model of [chat.model, chat.slugs[0] as string]) {
      expect(await mine.ask(model, { fallback: 'ANY' }, key)).toMatchObject({ code: 'FORBIDDEN' });
    }
    expect(ab.hits(0)).toBe(1);
  });

  test('the first delta of each attempt tells which instance gives the answer, and later ones do not repeat it', async () => {
    const { model, slugs } = await mine.tiers([[BROKEN_OFF], [GOOD]]);
    const events = await mine.stream(model);
    const deltas = events.filter(({ __typename }) => __typename === 'TextDelta');
    expect(deltas[0]).toMatchObject({ text: 'Half', servedBy: slugs[0] });
    const [first, ...rest] = deltas.slice(1);
    expect(first).toMatchObject({ servedBy: slugs[1] });
    expect(rest.every(({ servedBy }) => servedBy === null)).toBe(true);
  });

  test('an explanation tells why the instances above the one that answered were left out', async () => {
    const { model, slugs } = await mine.tiers([[GOOD], [GOOD], [GOOD], [GOOD]], (tier) =>
      tier === 0 || tier === 3 ? { enabled: false } : {},
    );
    const { explanation } = await mine.ask(model, { exclude: [slugs[1]] });
    expect(explanation).toBe(
      `"${model}" was answered by "${slugs[2]}" at the first attempt. Not called: "${slugs[0]}" (the instance "${slugs[0]}" is switched off; enable it to call it), "${slugs[1]}" (the request excludes it).`,
    );
  });

  test('an unknown model whose key a provider offers is refused with its full name and what it lacks', async () => {
    const provider = await mine.calls.provider({ key: `lab-${kind}` });
    await mine.calls.model({ providerKey: provider.key, key: 'gpt-near' });
    expect(await mine.ask('gpt-near')).toMatchObject({
      error: `No instance, model or tag is called "gpt-near". Did you mean "lab-${kind}/gpt-near"? It lacks a credential: create a provider config for "lab-${kind}"`,
      code: 'MODEL_NOT_FOUND',
      path: 'model',
      suggestions: [`lab-${kind}/gpt-near`],
    });
    expect(await mine.ask(`lab-${kind}/gpt-near`)).toMatchObject({
      error: `The model "lab-${kind}/gpt-near" is known, but nothing here can call it. It lacks a credential: create a provider config for "lab-${kind}"`,
      code: 'MODEL_UNAVAILABLE',
    });
    const { secret } = (
      await mine.calls.run(
        'mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }',
        { input: { name: 'Elsewhere', scopes: ['RUN'], allowedModels: ['elsewhere/*'] } },
      )
    ).data.createApiKey;
    const told = await mine.ask('gpt-near', {}, secret);
    expect(told).toMatchObject({ code: 'MODEL_NOT_FOUND' });
    expect(JSON.stringify(told)).not.toContain('lab-');
  });
});
