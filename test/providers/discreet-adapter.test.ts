import { expect, test } from 'vitest';
import { ProviderError } from '../../src/kernel/errors.ts';
import { Secret } from '../../src/kernel/secret.ts';
import type {
  Adapter,
  ProviderRequest,
  ProviderTarget,
  StreamPart,
} from '../../src/providers/contract/adapter.ts';
import { discreet } from '../../src/providers/discreet-adapter.ts';

const target = {
  configId: 'c',
  secret: new Secret('sk-canary-1'),
  headers: { 'x-team': new Secret('team-canary') },
} as unknown as ProviderTarget;
const signal = new AbortController().signal;

function echoing(): Adapter & { left: boolean } {
  const fault = () =>
    new ProviderError('PROVIDER_AUTHENTICATION', 'You sent sk-canary-1 and team-canary', {
      cause: new Error('sk-canary-1 again'),
    });
  const adapter = {
    protocol: 'echo',
    optionRules: { reserved: {}, priced: [], extended: [] },
    left: false,
    async *stream(request: ProviderRequest): AsyncGenerator<StreamPart[]> {
      try {
        yield [{ type: 'text-delta', text: 'sk-canary-1 is content here' }];
        if (request.tools.length > 0) throw fault();
      } finally {
        adapter.left = true;
      }
    },
    unsupported: () => [],
    check: async () => Promise.reject(fault()),
    listModels: async () => Promise.reject(fault()),
  };
  return adapter;
}

const request = (tools: number) => ({ target, tools: Array(tools).fill({}) }) as unknown as ProviderRequest;

test('no fault repeats the credential or a header, in message, stack or cause', async () => {
  const adapter = discreet(echoing());
  const calls = [
    () => adapter.check(target, { signal }),
    () => adapter.listModels?.(target, { signal }),
    async () => {
      for await (const _parts of adapter.stream(request(1), { signal }));
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
  for await (const parts of discreet(echo).stream(request(0), { signal })) {
    expect(parts).toEqual([{ type: 'text-delta', text: 'sk-canary-1 is content here' }]);
    break;
  }
  expect(echo.left).toBe(true);
});

test('a list of models that is longer than any provider has is refused', async () => {
  const listing = (count: number) =>
    discreet({
      ...echoing(),
      listModels: async () => Array.from({ length: count }, (_value, index) => ({ key: `m${index}` })),
    }).listModels?.(target, { signal });
  expect(await listing(20_000)).toHaveLength(20_000);
  await expect(listing(20_001)).rejects.toMatchObject({
    code: 'PROVIDER_PROTOCOL',
    message: expect.stringContaining('20000 models'),
  });
});
