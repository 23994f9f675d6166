// Owns `npm run conformance:ai-sdk -- <folder>...`: gives the same bytes to the AI SDK's provider packages and to the gateway's adapters, and compares
// the results.
import { canonicalJson } from '../../src/kernel/json.ts';
import { type AdapterSet, openAdapters } from '../../test/conformance/adapters.ts';
import { requestTo, serveCase, targetOf } from '../../test/conformance/case-server.ts';
import { type Observed, observe } from '../../test/conformance/observed.ts';
import { routeOf } from '../../test/conformance/protocols.ts';
import { type RecordedCase, readCases } from '../../test/conformance/recorded-case.ts';
import { parsed } from '../../test/conformance/walk.ts';
import { type AiSdk, installAiSdk, type SdkAnswer } from './ai-sdk.ts';

interface Row {
  readonly recorded: RecordedCase;
  /** `undefined` if the AI SDK has no package for it. */
  readonly differences: readonly string[] | undefined;
}

/** Differences that are known to be a fault of the AI SDK, or a different meaning in it, each with the reason. */
const EXPLAINED: readonly (readonly [provider: RegExp, difference: RegExp, why: string])[] = [
  [/^cohere$/, /^(in|out)put tokens/, 'it counts a hidden template; `billed_units` are what is paid for'],
  [
    /./,
    /^only the AI SDK raised: .*(Invalid JSON response|TypeValidationError)/,
    'its schema knows less than the provider sends',
  ],
  [
    /./,
    /^only ours raised: .*(without a finish|before the answer was complete)/,
    'it takes a truncated stream for an answer',
  ],
  [/^(gemini|vertex)$/, /^only ours raised/, 'it overlooks an error or a refused prompt within a 200'],
  [/^bedrock/, /^tool calls: .*nova_grounding/, 'the tool ran on the side of the provider'],
  [/^together$/, /^finish: AI SDK "other", ours "stop"/, 'it does not know `eos`'],
  [
    /^xai$/,
    /^output tokens/,
    'xAI counts reasoning beside the output; read by the package for compatible servers',
  ],
];

const SDK_FINISH: Readonly<Record<string, string>> = { error: 'raised', unknown: 'other' };

async function compare(recorded: RecordedCase, sdk: AiSdk, adapters: AdapterSet): Promise<Row> {
  const theirs = await sdk.read(recorded);
  const ours = theirs && (await observeWhole(recorded, adapters));
  return { recorded, differences: theirs && ours ? differencesOf(theirs, ours) : undefined };
}

async function observeWhole(recorded: RecordedCase, adapters: AdapterSet): Promise<Observed | undefined> {
  const { protocol, providerKey } = routeOf(recorded);
  const adapter = adapters.get(protocol);
  if (!adapter) return undefined;
  const server = await serveCase(recorded);
  try {
    server.use({ name: 'whole', pieces: [recorded.body] });
    const request = requestTo(targetOf(protocol, providerKey, server.url));
    return await observe(adapter.completions.stream(request, { signal: AbortSignal.timeout(20_000) }));
  } finally {
    await server.close();
  }
}

function differencesOf(theirs: SdkAnswer, ours: Observed): string[] {
  const raised = ours.error !== undefined;
  if (raised || theirs.error !== undefined) {
    if (raised === (theirs.error !== undefined)) return [];
    return [
      raised ? `only ours raised: ${ours.error}` : `only the AI SDK raised: ${theirs.error?.slice(0, 200)}`,
    ];
  }
  const usage = ours.usage;
  const input = usage && usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens;
  const output = usage && usage.outputTokens + usage.reasoningTokens;
  const pairs: readonly (readonly [string, unknown, unknown])[] = [
    ['text', theirs.text, ours.text],
    ['tool calls', canonicalJson(theirs.calls.map(readable)), canonicalJson(ours.calls.map(readable))],
    ['finish', SDK_FINISH[theirs.finish ?? ''] ?? theirs.finish, ours.finish?.reason],
    ['input tokens', theirs.inputTokens ?? 0, input ?? 0],
    ['output tokens', theirs.outputTokens ?? 0, output ?? 0],
  ];
  return pairs
    .filter(([, left, right]) => left !== right)
    .map(([what, left, right]) => `${what}: AI SDK ${excerpt(left)}, ours ${excerpt(right)}`);
}

function readable(call: { name: string; argumentsText: string }): object {
  return { name: call.name, arguments: call.argumentsText === '' ? {} : parsed(call.argumentsText) };
}

function excerpt(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 160);
}

function whyOf(provider: string, difference: string): string | undefined {
  return EXPLAINED.find(([folder, what]) => folder.test(provider) && what.test(difference))?.[2];
}

function printTable(rows: readonly Row[]): void {
  for (const [provider, own] of Map.groupBy(rows, ({ recorded }) => recorded.provider)) {
    const compared = own.filter(({ differences }) => differences !== undefined);
    const agreeing = compared.filter(({ differences }) => differences?.length === 0);
    const left = own.length - compared.length;
    console.log(
      `${provider.padEnd(18)} ${String(agreeing.length).padStart(3)} of ${compared.length} agree${left ? `, ${left} not compared` : ''}`,
    );
    for (const { recorded, differences = [] } of own) {
      for (const difference of differences) {
        const why = whyOf(provider, difference);
        console.log(`    ${recorded.name}  ${difference}${why ? ` (explained: ${why})` : ''}`);
      }
    }
  }
}

const folders = process.argv.slice(2);
if (folders.length === 0) {
  console.error('Usage: node test/conformance/compare-ai-sdk.ts <folder>...');
  process.exit(2);
}
const sdk = await installAiSdk();
const adapters = openAdapters();
try {
  const rows: Row[] = [];
  for (const recorded of folders.flatMap(readCases)) {
    if (recorded.kind !== 'err') rows.push(await compare(recorded, sdk, adapters));
  }
  printTable(rows);
  const open = rows.flatMap(({ recorded, differences = [] }) =>
    differences.filter((difference) => !whyOf(recorded.provider, difference)),
  );
  console.log(`${rows.length} answers, ${open.length} differences unexplained`);
  if (open.length > 0) process.exitCode = 1;
} finally {
  await adapters.close();
  await sdk.close();
}
