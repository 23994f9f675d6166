// Owns what the sandbox's tests share: requests, time that stands still, and what a stream amounts to.
import type { Clock } from '../../../src/kernel/clock.ts';
import type { Message, ProviderRequest, StreamPart } from '../../../src/providers/contract/completions.ts';
import { createSandboxAdapter } from '../../../src/providers/sandbox/adapter.ts';

export const WHO = "Modelgraph's sandbox, a simulated model, not a language model";
export const target: ProviderRequest['target'] = {
  configId: 'config',
  providerKey: 'sandbox',
  baseUrl: 'sandbox:',
  auth: { type: 'none' },
  headers: {},
  settings: {},
  quirks: {},
  connectTimeoutMs: 1000,
};

/** A clock that stands still but for the delays asked of it, which it records. */
export function simulatedTime() {
  let nowMs = 0;
  const waits: number[] = [];
  const clock: Clock = { now: () => new Date(nowMs), monotonicMs: () => nowMs };
  const delay = async (ms: number) => {
    waits.push(ms);
    nowMs += ms;
  };
  return { clock, delay, waits };
}

export const user = (text: string): Message => ({
  role: 'user',
  parts: [{ type: 'text', text }],
  toolCalls: [],
});

export function request(over: Partial<ProviderRequest> = {}): ProviderRequest {
  return {
    target,
    model: { key: 'sandbox-text', reasoning: false },
    messages: [user('Hello there')],
    parameters: {},
    tools: [],
    providerOptions: {},
    ...over,
  };
}

export const options = (providerOptions: ProviderRequest['providerOptions']) => request({ providerOptions });

export async function reads(
  asked: ProviderRequest,
  signal = new AbortController().signal,
): Promise<StreamPart[][]> {
  const { clock, delay } = simulatedTime();
  const collected: StreamPart[][] = [];
  for await (const read of createSandboxAdapter({ clock, delay }).completions.stream(asked, { signal }))
    collected.push(read);
  return collected;
}

export async function collect(asked: ProviderRequest) {
  const parts = (await reads(asked)).flat();
  const textOf = (type: 'text-delta' | 'reasoning-delta') =>
    parts.map((part) => (part.type === type ? part.text : '')).join('');
  const calls = new Map<number, { callId?: string | undefined; name?: string | undefined; text: string }>();
  for (const part of parts) {
    if (part.type !== 'tool-call-delta') continue;
    const call = calls.get(part.index) ?? { callId: part.callId, name: part.name, text: '' };
    call.text += part.argumentsText;
    calls.set(part.index, call);
  }
  const usage = parts.find((part) => part.type === 'usage')?.usage;
  const finish = parts.at(-1);
  if (finish?.type !== 'finish') throw new Error('no finish');
  return {
    text: textOf('text-delta'),
    reasoning: textOf('reasoning-delta'),
    calls: [...calls.values()],
    usage,
    finish,
  };
}

export const weather = {
  name: 'weather',
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' }, days: { type: 'integer', minimum: 2 } },
    required: ['city'],
  },
} as const;
