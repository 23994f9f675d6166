import { expect, test } from 'vitest';
import {
  InputEstimate,
  outputTokensHeld,
  outputTokensOf,
  tokensBesideTexts,
} from '../../../src/domain/billing/token-estimate.ts';
import type { Message, Tool } from '../../../src/providers/contract/completions.ts';

const image = { type: 'image', image: { url: 'https://example.com/a.png' } } as const;
const text = (words: string) => ({ type: 'text', text: words }) as const;
const message = (over: Partial<Message> = {}): Message => ({
  role: 'user',
  parts: [],
  toolCalls: [],
  ...over,
});

test.each<[string, readonly Message[], readonly Tool[], { atLeast: number; held: number; counted: number }]>([
  ['nothing', [], [], { atLeast: 0, held: 0, counted: 0 }],
  ['a message without text', [message()], [], { atLeast: 0, held: 8, counted: 8 }],
  ['a text', [message({ parts: [text('a'.repeat(24))] })], [], { atLeast: 3, held: 16, counted: 14 }],
  [
    'letters of two bytes',
    [message({ parts: [text('ж'.repeat(24))] })],
    [],
    { atLeast: 3, held: 24, counted: 20 },
  ],
  [
    'texts whose bytes are added up before they are divided',
    [message({ parts: [text('a'), text('b')] }), message({ parts: [text('c')] })],
    [],
    { atLeast: 0, held: 17, counted: 17 },
  ],
  ['an image', [message({ parts: [image] })], [], { atLeast: 0, held: 1608, counted: 1608 }],
  [
    'a call',
    [message({ toolCalls: [{ callId: 'c', name: 'find', argumentsText: '{"a": 1}' }] })],
    [],
    { atLeast: 0, held: 12, counted: 11 },
  ],
  ['a tool', [], [{ name: 'find', parameters: {} }], { atLeast: 0, held: 11, counted: 8 }],
])(
  'the estimate of the input of %s is on the side of too few, of too many, and as it mostly is',
  (_what, messages, tools, expected) => {
    const { atLeast, held, counted } = new InputEstimate(messages, tools);
    expect({ atLeast, held, counted }).toEqual(expected);
  },
);

test('beside texts that were counted, a message takes 4 tokens and an image 765', () => {
  expect(tokensBesideTexts([message({ parts: [text('long'.repeat(100)), image] }), message()])).toBe(773);
});

test('an estimate takes four characters of output for a token', () => {
  expect(outputTokensOf(10)).toBe(2.5);
});

test.each([
  [100, 50, 100],
  [undefined, 50, 50],
  [undefined, 100_000, 4_096],
  [undefined, null, 4_096],
])('of a bound of %s at a model that gives %s at most, %s tokens are held', (bound, maximum, held) => {
  expect(outputTokensHeld(bound, maximum)).toBe(held);
});
