import { expect, test } from 'vitest';
import { ProviderError } from '../../src/kernel/errors.ts';
import { Secret } from '../../src/kernel/secret.ts';
import type { CompletionAdapter } from '../../src/providers/contract/adapter.ts';
import type { ProviderRequest, StreamPart } from '../../src/providers/contract/completions.ts';
import type { ProviderTarget } from '../../src/providers/contract/target.ts';
import { discreet } from '../../src/providers/discreet-adapter.ts';
import { IssuedTokens } from '../../src/providers/secret-texts.ts';
import { scriptedAdapter } from '../support/scripted-adapter.ts';

const target = {
  configId: 'c',
  secret: new Secret('sk-canary-1'),
  headers: { 'x-team': new Secret('team-canary') },
} as unknown as ProviderTarget;
const signal = new AbortController().signal;

function echoing(): CompletionAdapter & { left: boolean } {
  const fault = () =>
    new ProviderError('PROVIDER_AUTHENTICATION', 'You sent sk-canary-1 and team-canary', {
      cause: new Error('sk-canary-1 again'),
    });
  const adapter = {
    ...scriptedAdapter('echo', async function* (request) {
      try {
        yield [{ type: 'text-delta', text: 'sk-canary-1 is content here' }];
        if (request.tools.length > 0) throw fault();
      } finally {
        adapter.left = true;
      }
    }),
    left: false,
    models: { list: async () => Promise.reject(fault()) },
    health: { check: async () => Promise.reject(fault()) },
  };
  return adapter;
}

const request = (tools: number) => ({ target, tools: Array(tools).fill({}) }) as unknown as ProviderRequest;

test('no fault repeats the credential or a header, in message, stack or cause', async () => {
  const adapter = discreet(echoing());
  const calls = [
    () => adapter.health.check(target, { signal }),
    () => adapter.models?.list(target, { signal }),
    async () => {
      for await (const _parts of adapter.completions.stream(request(1), { signal }));
    },
  ];
  for (const call of calls) {
    const error = (await Promise.resolve(call()).catch((caught) => caught)) as ProviderError;
    expect(error).toBeInstanceOf(ProviderError);
    expect(error.message).toBe('You sent [secret] and [secret]');
    expect(`${error.stack}${(error.cause as Error).message}${(error.cause as Error).stack}`).not.toMatch(
      /canary/,
    );
  }
});

test('what a provider answers is left as it is, and leaving the stream leaves the adapter’s', async () => {
  const echo = echoing();
  for await (const parts of discreet(echo).completions.stream(request(0), { signal })) {
    expect(parts).toEqual([{ type: 'text-delta', text: 'sk-canary-1 is content here' }]);
    break;
  }
  expect(echo.left).toBe(true);
});

const SERVICE_ACCOUNT = JSON.stringify({
  type: 'service_account',
  project_id: 'my-project',
  private_key: '-----BEGIN PRIVATE KEY-----\ncanary-pem\n-----END PRIVATE KEY-----\n',
  token_uri: 'https://oauth2.googleapis.com/token',
});

/** Says the text in every place that is not content, then fails with it in every place of an error. */
function repeating(text: string): CompletionAdapter {
  return scriptedAdapter('repeating', async function* () {
    yield [
      { type: 'response-start', servedModel: text, providerRequestId: text },
      { type: 'warning', code: text, message: text },
      { type: 'finish', reason: 'stop', providerReason: text },
    ];
    throw new ProviderError('PROVIDER_AUTHENTICATION', text, {
      providerCode: text,
      providerRequestId: text,
      cause: Object.assign(new Error(text), { detail: text }),
    });
  });
}

test.each([
  ['the whole of a key', 'sk-canary-secret', 'sk-canary-secret', []],
  ['the secret half of an access key', 'AKIACANARY0123456789:canary/secret+key', 'canary/secret+key', []],
  ['its session token', 'AKIACANARY0123456789:canarysecret:canarysession', 'canarysession', []],
  ['an access key in JSON', '{"accessKeyId":"AKIA","secretAccessKey":"canary-aws"}', 'canary-aws', []],
  [
    'what a base64 key is made of',
    `Basic ${Buffer.from('client-id:client-canary').toString('base64')}`,
    'client-canary',
    [],
  ],
  ['a pair as it travels', 'user-name:canary', Buffer.from('user-name:canary').toString('base64'), []],
  [
    'a private key as it stands in JSON',
    SERVICE_ACCOUNT,
    '-----BEGIN PRIVATE KEY-----\\ncanary-pem\\n-----END PRIVATE KEY-----\\n',
    [],
  ],
  ['a token that was issued for the credential', SERVICE_ACCOUNT, 'ya29.canary-token', ['ya29.canary-token']],
])(
  'a secret is hidden wherever a provider repeats it beside the content: %s',
  async (_name, secret, echo, issued) => {
    const adapter = discreet(repeating(`got ${echo}!`), issued);
    const echoed = { target: { ...target, secret: new Secret(secret) } } as unknown as ProviderRequest;
    const parts: StreamPart[] = [];
    const read = async () => {
      for await (const each of adapter.completions.stream(echoed, { signal })) parts.push(...each);
    };
    const error = await read().then(
      () => undefined,
      (caught: ProviderError) => caught,
    );
    expect(parts).toEqual([
      { type: 'response-start', servedModel: 'got [secret]!', providerRequestId: 'got [secret]!' },
      { type: 'warning', code: 'got [secret]!', message: 'got [secret]!' },
      { type: 'finish', reason: 'stop', providerReason: 'got [secret]!' },
    ]);
    expect(error).toMatchObject({
      message: 'got [secret]!',
      providerCode: 'got [secret]!',
      providerRequestId: 'got [secret]!',
      cause: { message: 'got [secret]!', detail: 'got [secret]!' },
    });
    const { cause } = error as { cause?: Error };
    expect(`${error?.stack}${cause?.stack}`).not.toContain(echo);
  },
);

test('what of a credential is no secret stays readable: a project, an address, a common word', async () => {
  const words = 'service_account my-project https://oauth2.googleapis.com/token';
  const adapter = discreet(repeating(words));
  const asked = { target: { ...target, secret: new Secret(SERVICE_ACCOUNT) } } as unknown as ProviderRequest;
  for await (const [start] of adapter.completions.stream(asked, { signal })) {
    expect(start).toMatchObject({ servedModel: words });
    break;
  }
});

test('tokens of a sign-in are known as soon as an adapter has got them, and no more than the latest 500 are kept', async () => {
  const issued = new IssuedTokens({ get: async (key) => `token-${key}` });
  for (let key = 0; key < 600; key += 1) {
    await issued.get(String(key), {
      minLifeMs: 0,
      signal,
      fetch: async () => ({ token: '', expiresAtMs: 0 }),
    });
  }
  const known = [...issued.texts];
  expect(known).toHaveLength(500);
  expect(known.at(-1)).toBe('token-599');
});

test('a list of models that is longer than any provider has is refused', async () => {
  const listing = (count: number) =>
    discreet({
      ...echoing(),
      models: {
        list: async () => Array.from({ length: count }, (_value, index) => ({ key: `m${index}` })),
      },
    }).models?.list(target, { signal });
  expect(await listing(20_000)).toHaveLength(20_000);
  await expect(listing(20_001)).rejects.toMatchObject({
    code: 'PROVIDER_PROTOCOL',
    message: expect.stringContaining('20000 models'),
  });
});
