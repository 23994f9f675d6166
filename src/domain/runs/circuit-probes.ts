// Owns the probes of half-open circuits beside runs that a healthy candidate has answered: one small request of the gateway's own, so that
// no caller's request is spent on finding out whether a provider has recovered.
import type { Clock } from '../../kernel/clock.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { CompletionAdapter } from '../../providers/contract/adapter.ts';
import type { ProviderTargets } from '../catalogue/provider-target.ts';
import type { Candidate } from '../routing/candidates.ts';
import { breaksCircuit, type CircuitOutcome, type Circuits } from '../routing/circuits.ts';
import { Answer } from './answer.ts';
import { runAttempt } from './attempt.ts';
import { outcomeOfProbe } from './circuit-outcome.ts';
import type { CompletionRequest } from './completion-request.ts';
import { translateRequest } from './provider-request.ts';
import { attemptLimits } from './time-limits.ts';

export interface CircuitProbesDependencies {
  readonly adapterOf: (protocol: string) => CompletionAdapter | undefined;
  readonly targets: ProviderTargets;
  readonly circuits: Circuits;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Shorter than a probe is reserved for, so that no second one begins meanwhile. */
const PROBE_WITHIN_MS = 20_000;
const PROBE_ANSWER_BYTES = 65_536;
/** The least that every provider takes. */
const MAX_TOKENS = 16;
const PING: CompletionRequest = {
  model: '',
  messages: [{ role: 'user', parts: [{ type: 'text', text: 'Say OK.' }], toolCalls: [] }],
  parameters: { maxTokens: MAX_TOKENS },
  tools: [],
  providerOptions: {},
  onUnsupported: 'DROP',
  routing: {},
  onDetach: 'CONTINUE',
  detachGraceMs: 0,
  metadata: {},
};

export class CircuitProbes {
  readonly #needs: CircuitProbesDependencies;
  readonly #stop = new AbortController();
  readonly #running = new Set<Promise<void>>();

  constructor(needs: CircuitProbesDependencies) {
    this.#needs = needs;
  }

  /** Probes the first of them whose circuit is half open and is not being probed. Returns at once. */
  start(candidates: readonly Candidate[]): void {
    if (candidates.length === 0 || this.#stop.signal.aborted) return;
    const probing = this.#probeFirst(candidates)
      .catch((error: unknown) => this.#needs.logger.warn({ err: error }, 'A circuit could not be probed'))
      .finally(() => this.#running.delete(probing));
    this.#running.add(probing);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running);
  }

  async #probeFirst(candidates: readonly Candidate[]): Promise<void> {
    const { circuits } = this.#needs;
    for (const candidate of candidates) {
      const key = candidate.circuitKey;
      if (circuits.view(key).state !== 'HALF_OPEN') continue;
      if ((await circuits.admit(key, false)) !== 'probe') continue;
      let outcome: CircuitOutcome = { result: 'neutral', firstTokenMs: null };
      try {
        outcome = await this.#probe(candidate);
      } finally {
        circuits.record(key, outcome, 'probe', breaksCircuit(candidate));
      }
      return;
    }
  }

  async #probe(candidate: Candidate): Promise<CircuitOutcome> {
    const { adapterOf, targets, clock, logger } = this.#needs;
    const adapter = adapterOf(candidate.protocol ?? '');
    if (!adapter || !candidate.spec) return { result: 'neutral', firstTokenMs: null };
    const target = targets.of(candidate.config, candidate.spec, candidate.model);
    const { request } = translateRequest({ candidate, adapter, target }, PING);
    const enough = new AbortController();
    const result = await runAttempt({
      adapter,
      request: { ...request, parameters: { ...request.parameters, maxTokens: MAX_TOKENS } },
      limits: attemptLimits(candidate, true, PROBE_WITHIN_MS),
      clock,
      stop: AbortSignal.any([this.#stop.signal, enough.signal]),
      wholeSuffices: false,
      maxAnswerBytes: PROBE_ANSWER_BYTES,
      answer: new Answer(),
      // Its first word is all that is wanted.
      onParts: () => enough.abort(),
    });
    const outcome = outcomeOfProbe(result, this.#stop.signal.aborted);
    logger.info({ candidate: candidate.label, ...outcome }, 'A half-open circuit was probed');
    return outcome;
  }
}
