// Holds what callers get where the provider streams to verified organisations only.
import { expect, test } from 'vitest';
import { startTestApp } from '../../support/app.ts';
import { catalogueCalls } from '../../support/catalogue-calls.ts';
import { postgresUsable } from '../../support/databases.ts';
import { startFakeUpstream } from '../../support/fake-upstream.ts';
import { HELLO, openSocket } from '../../support/run-calls.ts';

const STREAM = `subscription ($input: CompletionInput!) { streamCompletion(input: $input) {
  __typename ... on CompletionEnded { completion { status error { message } } }
} }`;
const MESSAGE = 'Your organization must be verified to stream this model.';
const REFUSAL = {
  error: { message: MESSAGE, type: 'invalid_request_error', param: 'stream', code: 'unsupported_value' },
};
const ANSWERS: Readonly<Record<string, object>> = {
  'openai-chat': { choices: [{ index: 0, message: { content: 'Hi' }, finish_reason: 'stop' }] },
  'openai-responses': {
    id: 'r',
    status: 'completed',
    output: [{ type: 'message', content: [{ type: 'output_text', text: 'Hi' }] }],
  },
};

test.skipIf(!postgresUsable())(
  'for an unverified organisation complete asks once more without a stream, and a stream ends with an error that says so',
  async () => {
    const app = await startTestApp('postgresql');
    const { key } = await app.createWorkspace();
    const calls = catalogueCalls(app, key);
    await using socket = openSocket(app, key);
    for (const [protocol, answer] of Object.entries(ANSWERS)) {
      const upstream = await startFakeUpstream((request) => {
        const streamed = (request.json() as { stream: boolean }).stream;
        return streamed
          ? { status: 400, body: JSON.stringify(REFUSAL) }
          : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(answer) };
      });
      const provider = await calls.provider({ protocol, baseUrl: upstream.url });
      const config = await calls.config({ providerKey: provider.key });
      const model = await calls.model({ providerKey: provider.key });
      const { slug } = await calls.instance({ configId: config.id, canonicalId: model.canonicalId });
      const input = { model: slug, messages: HELLO };
      const { data } = await app.graph(
        'mutation ($input: CompletionInput!) { complete(input: $input) { completion { text attempts { outcome } } } }',
        { input },
        key,
      );
      expect(data.complete.completion).toMatchObject({ text: 'Hi', attempts: [{}] });
      expect(upstream.requests).toHaveLength(2);
      let last: any;
      for await (const { data: seen } of socket.client.iterate({ query: STREAM, variables: { input } })) {
        last = seen?.streamCompletion;
      }
      expect(last.completion).toMatchObject({
        status: 'FAILED',
        error: { message: expect.stringContaining('does not stream this model') },
      });
      expect(upstream.requests).toHaveLength(3);
      await upstream.close();
    }
  },
);
