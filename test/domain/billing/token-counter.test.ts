import { beforeAll, describe, expect, test } from 'vitest';
import { countUsage, loadTokenizer } from '../../../src/domain/billing/token-counter.ts';
import type { Message } from '../../../src/providers/contract/completions.ts';

const message = (text: string): Message => ({ role: 'user', parts: [{ type: 'text', text }], toolCalls: [] });
const countInput = async (...texts: string[]) =>
  (await countUsage({ messages: texts.map(message), tools: [] }, { text: '', reasoning: '', toolCalls: [] }))
    .inputTokens;
const hanText = (length: number, seed: number) =>
  Array.from({ length }, (_value, index) =>
    String.fromCharCode(0x4e00 + (((index + seed) * 7_919) % 20_000)),
  ).join('');

/** The longest time that nothing else of the process could run, in milliseconds, while `work` went on. */
async function longestStall(work: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let last = performance.now();
  const look = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  };
  const timer = setInterval(look, 1);
  await work();
  look();
  clearInterval(timer);
  return longest;
}

describe('counted tokens', () => {
  beforeAll(async () => {
    await loadTokenizer();
    await countInput('warm');
  });

  test('a count of tokens is exact for texts of ordinary length', async () => {
    const count = await loadTokenizer();
    const text = 'The quick brown fox jumps over the lazy dog. '.repeat(30);
    expect(await countInput(text)).toBe(4 + count(text));
    expect(await countInput('Hello', 'world')).toBe(8 + 2);
  });

  test('a count of the tokens of long texts goes by samples from everywhere, whichever language they begin in', async () => {
    const count = await loadTokenizer();
    const [english, chinese] = ['plain words of English '.repeat(5_000), hanText(100_000, 1)];
    const exact = count(english) + Math.round(count(chinese.slice(0, 2_000)) * 50);
    for (const texts of [
      [english, chinese],
      [chinese, english],
    ]) {
      const counted = await countInput(...texts);
      expect(Math.abs(counted - exact) / exact).toBeLessThan(0.1);
    }
  });

  test('a count of tokens takes many texts together as one: thousands of messages cost no more than one', async () => {
    const many = Array.from({ length: 2_000 }, (_value, index) => hanText(1_000, index));
    const started = performance.now();
    await countInput(...many);
    // Without a bound on all of them together these take a minute.
    expect(performance.now() - started).toBeLessThan(3_000);
  });

  test.each([
    ['Chinese letters', Array.from({ length: 30 }, (_value, index) => hanText(20_000, index))],
    ['signs without an end', Array(30).fill('=-'.repeat(10_000))],
    ['one letter', Array(30).fill('a'.repeat(20_000))],
  ])(
    'a count of tokens lets the process go on meanwhile, also for texts without breaks: %s',
    async (_name, texts) => {
      const stall = await longestStall(() => Promise.all(texts.map((text) => countInput(text))));
      expect(stall).toBeLessThan(1_000);
    },
  );
});
