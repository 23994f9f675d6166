// Owns what the runner concludes from a recorded case by the plain readers: what an adapter has to make of it.
import type { FinishReason, ProviderUsage } from '../../src/providers/contract/completions.ts';
import { type ExpectedFault, expectedFault } from './fault.ts';
import { readerOf } from './protocols.ts';
import { asDocument, wholeText } from './readers/split.ts';
import type { CallReading, Reading } from './reading.ts';
import type { RecordedCase } from './recorded-case.ts';
import { listAt, parsed, textAt } from './walk.ts';

export interface ExpectedCall {
  /** Where the provider gave one. */
  readonly id?: string;
  readonly name: string;
  readonly arguments: unknown;
}

export interface ExpectedAnswer {
  readonly text: readonly string[];
  readonly reasoning: readonly string[];
  readonly calls: readonly ExpectedCall[];
  /** One of them; an adapter has some freedom where the provider is vague. */
  readonly finish: readonly FinishReason[];
  /** The provider ended without a good end, and an adapter may as well call that a fault. */
  readonly mayRaise: boolean;
  readonly usage?: ProviderUsage;
  readonly total?: number;
}

/** `named` cases are no answer to what a gateway asks; the adapter only has to refuse them. */
export type Expectation =
  | { readonly type: 'answer'; readonly answer: ExpectedAnswer }
  | { readonly type: 'fault'; readonly fault: ExpectedFault; readonly before: ExpectedAnswer }
  | { readonly type: 'models'; readonly keys: readonly string[] }
  | { readonly type: 'token' }
  | { readonly type: 'named'; readonly name: string; readonly answer?: ExpectedAnswer };

export function readingOf(recorded: RecordedCase, protocol: string): Reading {
  return readerOf(protocol)(recorded.body, {
    provider: recorded.provider,
    contentType: recorded.headers['content-type'] ?? '',
  });
}

export function expectationOf(recorded: RecordedCase, protocol: string): Expectation {
  const { status, headers } = recorded;
  const document = asDocument(recorded.body);
  const spokenType = headers['x-amzn-errortype'];
  if (recorded.kind === 'err' || (status >= 400 && !isAnswer(recorded, protocol))) {
    const error = document ?? wholeText(recorded.body);
    const kind = spokenType === undefined ? {} : { kind: spokenType };
    // A recorder that stored an error with status 200 leaves only the body to go by.
    return fault({ ...(status >= 400 ? { status } : {}), headers, error, ...kind }, []);
  }
  if (/\/oauth\b/.test(recorded.uri)) return { type: 'token' };
  if (/\/models\b[^:]*$/.test(recorded.uri) && recorded.method === 'GET')
    return { type: 'models', keys: modelKeys(document) };

  const reading = readingOf(recorded, protocol);
  if (!reading.recognised && reading.error === undefined)
    return { type: 'named', name: otherEndpoint(recorded) };
  if (reading.error !== undefined) {
    const kind = reading.errorKind === undefined ? {} : { kind: reading.errorKind };
    return fault({ headers: {}, error: reading.error, ...kind }, reading.text);
  }
  return concluded(recorded, reading, protocol);
}

/** One recorder stored the true status of a good answer wrongly: the body decides. */
function isAnswer(recorded: RecordedCase, protocol: string): boolean {
  const reading = readingOf(recorded, protocol);
  return reading.recognised && reading.error === undefined && reading.finish !== undefined;
}

function fault(source: Parameters<typeof expectedFault>[0], text: readonly string[]): Expectation {
  return {
    type: 'fault',
    fault: expectedFault(source),
    before: { text, reasoning: [], calls: [], finish: [], mayRaise: true },
  };
}

function concluded(recorded: RecordedCase, reading: Reading, protocol: string): Expectation {
  const answer: ExpectedAnswer = {
    text: reading.text,
    reasoning: reading.reasoning,
    calls: reading.calls.map(toExpectedCall),
    finish: finishReasons(reading, protocol),
    mayRaise: reading.finish === undefined || BAD_ENDS.test(reading.finish),
    ...(reading.usage ? { usage: reading.usage } : {}),
    ...(reading.total === undefined ? {} : { total: reading.total }),
  };
  if (recorded.status >= 400) {
    return { type: 'named', name: `recorded with status ${recorded.status} around a good answer`, answer };
  }
  if (reading.errorKind === 'second-generation') {
    return { type: 'named', name: 'an answer of GigaChat v2, which is another protocol', answer };
  }
  if (reading.finish === undefined && recorded.kind === 'stream') {
    const cut: ExpectedFault = { codes: ['PROVIDER_PROTOCOL'], messages: [], retryAfterMs: [] };
    return { type: 'fault', fault: cut, before: answer };
  }
  return { type: 'answer', answer };
}

function toExpectedCall(call: CallReading): ExpectedCall {
  const named = { ...(call.id ? { id: call.id } : {}), name: call.name };
  if (call.argumentsValue !== undefined) return { ...named, arguments: call.argumentsValue };
  const text = call.argumentsText.trim();
  return { ...named, arguments: text === '' ? {} : (parsed(text) ?? call.argumentsText) };
}

const BAD_ENDS =
  /^(error.*|timeout|insufficient_system_resource|network_error|malformed_.*|unexpected_tool_call|too_many_tool_calls|no_image)$/i;

const FINISH_WORDS: readonly (readonly [RegExp, readonly FinishReason[]])[] = [
  [/^(stop|end_turn|stop_sequence|eos|complete|completed)$/i, ['stop']],
  [/^pause_turn$/, ['other', 'stop']],
  [/^(length|max_tokens|model_length|max_output_tokens|model_context_window_exceeded)$/i, ['length']],
  [/^(tool_calls?|function_call|tool_use)$/i, ['tool-calls']],
  [
    /^(content_filter(ed)?|guardrail_intervened|refusal|safety|recitation|blocklist|prohibited_content|spii|image_safety|model_armor|blacklist|sensitive)$/i,
    ['content-filter'],
  ],
];

/** Protocols whose word for a finished answer is the same with and without tool calls. */
const CALLS_END_WITH_STOP = new Set(['gemini', 'gemini-vertex', 'ollama', 'openai-responses']);

function finishReasons(reading: Reading, protocol: string): readonly FinishReason[] {
  if (reading.finish === undefined) return ['stop', 'tool-calls', 'other'];
  if (reading.errorKind === 'blocked-prompt') return ['content-filter'];
  const known = FINISH_WORDS.find(([words]) => words.test(reading.finish ?? ''))?.[1] ?? [
    'other',
    'content-filter',
  ];
  if (known[0] === 'stop' && reading.refused) return ['stop', 'content-filter'];
  if (known[0] !== 'stop' || reading.calls.length === 0) return known;
  return CALLS_END_WITH_STOP.has(protocol) ? ['tool-calls'] : ['stop', 'tool-calls'];
}

function modelKeys(document: unknown): string[] {
  const entries = [listAt(document, 'data'), listAt(document, 'models'), listAt(document)].find(
    (list) => list.length > 0,
  );
  return (entries ?? []).map(
    (entry) => textAt(entry, 'id') ?? textAt(entry, 'name') ?? textAt(entry, 'model') ?? '',
  );
}

function otherEndpoint(recorded: RecordedCase): string {
  const path = recorded.uri.replace(/^https?:\/\/[^/]*/, '').replace(/\?.*$/, '');
  return `no answer to a chat request: ${path.slice(-40)}`;
}
