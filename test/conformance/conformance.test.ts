// The conformance runner over hand-made cases: what it passes, what it finds, and what it prints.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ProviderError } from '../../src/kernel/errors.ts';
import type { CompletionAdapter } from '../../src/providers/contract/adapter.ts';
import type { StreamPart } from '../../src/providers/contract/completions.ts';
import { withStream } from '../support/scripted-adapter.ts';
import { type AdapterSet, openAdapters } from './adapters.ts';
import { type CaseResult, checkCase } from './check-case.ts';
import { seededRandom, servings } from './cuts.ts';
import { routeOf } from './protocols.ts';
import { type RecordedCase, readCases } from './recorded-case.ts';
import { reportOf } from './report.ts';

const FIXTURES = fileURLToPath(new URL('../fixtures/conformance', import.meta.url));
const cases = readCases(FIXTURES);
const foreign = process.env.CONFORMANCE_CASES;

let adapters: AdapterSet;
beforeAll(() => {
  adapters = openAdapters();
});
afterAll(() => adapters.close());

function check(
  recorded: RecordedCase,
  wrap = (adapter: CompletionAdapter): CompletionAdapter => adapter,
): Promise<CaseResult> {
  const adapterFor = (protocol: string) => {
    const adapter = adapters.get(protocol);
    return adapter && wrap(adapter);
  };
  return checkCase(recorded, { adapterFor, places: 20, seed: 1 });
}

function caseNamed(path: string): RecordedCase {
  const found = cases.find(({ provider, name }) => `${provider}/${name}` === path);
  if (!found) throw new Error(`No fixture ${path}`);
  return found;
}

/** An adapter that makes something else of each part, or nothing. */
function altering(change: (part: StreamPart) => StreamPart | undefined) {
  return (adapter: CompletionAdapter) =>
    withStream(adapter, async function* (request, options) {
      for await (const parts of adapter.completions.stream(request, options)) {
        const changed = parts.map(change).filter((part) => part !== undefined);
        if (changed.length > 0) yield changed;
      }
    });
}

describe('hand-made answers', () => {
  it.each(cases.map((recorded) => [`${recorded.provider}/${recorded.name}`, recorded] as const))(
    'the hand-made answer %s is read by its adapter as by the plain reader, whole and cut',
    async (_, recorded) => {
      expect((await check(recorded)).reasons.join('\n')).toBe(
        recorded.name === 'json-embedding' ? 'no answer to a chat request: /v1/embeddings' : '',
      );
    },
  );
});

describe.skipIf(!foreign)('recorded answers of CONFORMANCE_CASES', () => {
  const recordings = foreign ? readCases(foreign) : [];
  it.each(recordings.map((recorded) => [`${recorded.provider}/${recorded.name}`, recorded] as const))(
    'the recorded answer %s is read by its adapter as by the plain reader',
    async (_, recorded) => {
      const { verdict, reasons } = await check(recorded);
      expect(verdict === 'failed' ? reasons : []).toEqual([]);
    },
  );
});

describe('conformance faults', () => {
  const alterations: readonly [string, string, (part: StreamPart) => StreamPart | undefined, RegExp][] = [
    [
      'a lost character',
      'openai-chat/stream-text',
      (part) => (part.type === 'text-delta' ? { ...part, text: part.text.replace('ß', '') } : part),
      /^text: differs at 3/,
    ],
    [
      'a token counted twice',
      'openrouter/stream-late-usage',
      (part) =>
        part.type === 'usage'
          ? { ...part, usage: { ...part.usage, inputTokens: part.usage.inputTokens + 1 } }
          : part,
      /^usage: expected .*"inputTokens":50.*"inputTokens":51/,
    ],
    [
      'a lost tool call',
      'openai-chat/stream-parallel',
      (part) => (part.type === 'tool-call-delta' && part.index === 1 ? undefined : part),
      /^tool calls: expected 2, got 1/,
    ],
    [
      'a wrong finish',
      'mistral/stream-thinking',
      (part) => (part.type === 'finish' ? { ...part, reason: 'stop' } : part),
      /^finish: expected length, got stop/,
    ],
    [
      'a stream without its finish',
      'openai-chat/stream-text',
      (part) => (part.type === 'finish' ? undefined : part),
      /^ended without a finish/,
    ],
  ];
  it.each(alterations)(
    'the conformance runner finds a fault of an adapter: %s',
    async (_, path, change, reason) => {
      const result = await check(caseNamed(path), altering(change));
      expect(result.verdict).toBe('failed');
      expect(result.reasons.some((one) => reason.test(one))).toBe(true);
    },
  );

  it('the conformance runner finds a truncated stream that is taken for a whole one', async () => {
    const lenient = (adapter: CompletionAdapter) =>
      withStream(adapter, async function* (request, options) {
        try {
          yield* adapter.completions.stream(request, options);
        } catch {
          yield [{ type: 'finish', reason: 'stop' }];
        }
      });
    const result = await check(caseNamed('openai-chat/stream-cut'), lenient);
    expect(result.reasons[0]).toMatch(/^expected PROVIDER_PROTOCOL, got finish stop/);
  });

  it('the conformance runner finds a wrong error code, a lost message and a lost time to wait', async () => {
    const vague = (adapter: CompletionAdapter) =>
      // biome-ignore lint/correctness/useYield: the point is that nothing comes but the error
      withStream(adapter, async function* () {
        throw new ProviderError('PROVIDER_UNAVAILABLE', 'Something went wrong.', { status: 429 });
      });
    const { reasons } = await check(caseNamed('openai-chat/err-rate-limit'), vague);
    expect(reasons.map((reason) => reason.split(':')[0])).toEqual(['code', 'message', 'retryAfterMs']);
  });

  it('the conformance runner finds a protocol without an adapter', async () => {
    const [recorded] = cases;
    const result = await checkCase(recorded!, { adapterFor: () => undefined, places: 1, seed: 1 });
    expect(result.reasons).toEqual(['no adapter for anthropic-messages']);
  });
});

describe('how the case server cuts a body', () => {
  it('a recorded body is served whole, byte by byte, and cut once at every byte where it is short', () => {
    const body = Buffer.from('abcd');
    const served = servings(body, 200, seededRandom(1)).map(({ pieces }) => pieces.map(String).join('|'));
    expect(served).toEqual(['abcd', 'a|b|c|d', 'a|bcd', 'ab|cd', 'abc|d']);
  });

  it('a long recorded body is cut at as many places as asked for, the same ones for the same seed', () => {
    const body = Buffer.alloc(10_000, 'x');
    const first = servings(body, 200, seededRandom(7));
    expect(first.map(({ name }) => name)).toEqual(
      servings(body, 200, seededRandom(7)).map(({ name }) => name),
    );
    expect(first).toHaveLength(202);
    expect(first[1]?.pieces).toHaveLength(201);
    expect(first.every(({ pieces }) => Buffer.concat(pieces).equals(body))).toBe(true);
  });
});

it('a recorded case in a folder of an unknown name is routed by the address of its request', () => {
  const recorded = { ...caseNamed('some-new-host/stream-guessed'), provider: 'unheard-of' };
  const protocolOf = (uri: string) => routeOf({ ...recorded, uri }).protocol;
  expect(protocolOf('https://host/v1/chat/completions')).toBe('openai-chat');
  expect(protocolOf('https://host/v1/responses')).toBe('openai-responses');
  expect(protocolOf('https://host/v1/messages?beta=true')).toBe('anthropic-messages');
  expect(protocolOf('https://host/v1beta/models/m:streamGenerateContent?alt=sse')).toBe('gemini');
  expect(protocolOf('https://us-aiplatform.googleapis.com/v1/x:generateContent')).toBe('gemini-vertex');
  expect(protocolOf('https://host/model/a%3A0/converse-stream')).toBe('bedrock-converse');
  expect(protocolOf('http://host:11434/api/chat')).toBe('ollama');
});

it('the conformance report gives a row a provider, the reasons, and the sums last', () => {
  const recorded = caseNamed('openai-chat/stream-text');
  const report = reportOf([
    { recorded, protocol: 'openai-chat', verdict: 'passed', reasons: [] },
    { recorded, protocol: 'openai-chat', verdict: 'failed', reasons: ['text: differs at 1'] },
    { recorded, protocol: 'openai-chat', verdict: 'named', reasons: ['another endpoint'] },
  ]);
  expect(report.split('\n')).toEqual([
    'provider     protocol     cases  read  named  failed',
    'openai-chat  openai-chat      3     1      1       1',
    '',
    'Failed:',
    '  openai-chat/stream-text',
    '    text: differs at 1',
    '',
    'Named: not the adapter, but the recording:',
    '  openai-chat/stream-text',
    '    another endpoint',
    '',
    '2 passed, 1 failed',
  ]);
});

describe('conformance command', () => {
  const run = (...args: string[]) =>
    promisify(execFile)(process.execPath, [
      fileURLToPath(new URL('../../tools/conformance/run.ts', import.meta.url)),
      ...args,
    ]);

  it('npm run conformance prints its seed first and its sums last', async () => {
    const { stdout } = await run('--seed', '42', '--places', '3', `${FIXTURES}/some-new-host`);
    expect(stdout).toMatch(/^seed 42\n/);
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('1 passed, 0 failed');
  });

  it('npm run conformance fails without a folder, and with one that has no cases', async () => {
    await expect(run()).rejects.toMatchObject({ code: 2 });
    await expect(run(fileURLToPath(new URL('readers', import.meta.url)))).rejects.toMatchObject({ code: 1 });
  });
});
