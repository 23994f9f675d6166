// Owns the check of one recorded case: it is served whole and cut, read by the real adapter, and compared with the plain reading.
import { ProviderError } from '../../src/kernel/errors.ts';
import type { CompletionAdapter } from '../../src/providers/contract/adapter.ts';
import type { ProviderTarget } from '../../src/providers/contract/target.ts';
import { type CaseServer, requestTo, serveCase, targetOf } from './case-server.ts';
import { differences } from './comparison.ts';
import { seededRandom, servings } from './cuts.ts';
import { type Expectation, expectationOf } from './expectation.ts';
import { observe } from './observed.ts';
import { routeOf } from './protocols.ts';
import type { RecordedCase } from './recorded-case.ts';

export interface CaseResult {
  readonly recorded: RecordedCase;
  readonly protocol: string;
  /** `named`: no fault of the adapter, but of the recording or of its place. */
  readonly verdict: 'passed' | 'named' | 'failed';
  /** Why it failed, or what the recording's defect is. */
  readonly reasons: readonly string[];
}

export interface CheckOptions {
  adapterFor(protocol: string): CompletionAdapter | undefined;
  /** Cuts of a long case, one at a time, beside whole and byte by byte; a short one is cut at each byte. */
  readonly places: number;
  readonly seed: number;
}

const TIME_LIMIT_MS = 20_000;

export async function checkCase(recorded: RecordedCase, options: CheckOptions): Promise<CaseResult> {
  const { protocol, providerKey } = routeOf(recorded);
  const result = (verdict: CaseResult['verdict'], reasons: readonly string[]) => ({
    recorded,
    protocol,
    verdict,
    reasons,
  });
  const adapter = options.adapterFor(protocol);
  if (!adapter) return result('failed', [`no adapter for ${protocol}`]);

  const expectation = expectationOf(recorded, protocol);
  const server = await serveCase(recorded);
  try {
    const target = targetOf(protocol, providerKey, server.url);
    const failures = await failuresOf(recorded, server, options, (signal) =>
      attempt(expectation, adapter, target, signal),
    );
    if (failures.length > 0) return result('failed', failures);
    return expectation.type === 'named' ? result('named', [expectation.name]) : result('passed', []);
  } finally {
    await server.close();
  }
}

async function failuresOf(
  recorded: RecordedCase,
  server: CaseServer,
  options: CheckOptions,
  run: (signal: AbortSignal) => Promise<string[]>,
): Promise<string[]> {
  const found = new Map<string, string[]>();
  for (const serving of servings(recorded.body, options.places, seededRandom(options.seed))) {
    server.use(serving);
    const signal = AbortSignal.timeout(TIME_LIMIT_MS);
    for (const difference of await run(signal)) {
      found.set(difference, [...(found.get(difference) ?? []), serving.name]);
    }
    // An adapter that hangs once would hang at every cut.
    if (signal.aborted) break;
  }
  return [...found].map(([difference, names]) => `${difference} [${summed(names)}]`);
}

function summed(names: readonly string[]): string {
  return names.length > 3 ? `${names.slice(0, 2).join(', ')} and ${names.length - 2} more` : names.join(', ');
}

async function attempt(
  expectation: Expectation,
  adapter: CompletionAdapter,
  target: ProviderTarget,
  signal: AbortSignal,
): Promise<string[]> {
  if (expectation.type === 'token') return raised(() => adapter.health.check(target, { signal }));
  if (expectation.type === 'models') {
    return raised(async () => {
      const listed = (await adapter.models?.list(target, { signal })) ?? [];
      const keys = new Set(listed.map((model) => model.key));
      const strange = [...keys].filter((key) => !expectation.keys.includes(key));
      if (keys.size === 0) throw new Error('no model was listed');
      if (strange.length > 0) throw new Error(`listed unknown models: ${strange.join(', ')}`);
    });
  }
  const observed = await observe(adapter.completions.stream(requestTo(target), { signal }));
  return differences(expectation, observed, adapter.protocol);
}

async function raised(call: () => Promise<void>): Promise<string[]> {
  try {
    await call();
    return [];
  } catch (error) {
    return [error instanceof ProviderError ? `raised ${error.code}: ${error.message}` : String(error)];
  }
}
