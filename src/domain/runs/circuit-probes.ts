// Owns probes of half-open circuits: after a run that another candidate has answered, the gateway sends one small request of its own, so that no
// caller's request is used to find out whether a provider has recovered.
import type { Clock } from '../../kernel/clock.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { Adapter } from '../../providers/contract/adapter.ts';
import type { ProviderTargets } from '../catalogue/provider-target.ts';
import type { Candidate } from '../routing/candidates.ts';
import { breaksCircuit, type CircuitOutcome, type Circuits } from '../routing/circuits.ts';
import { runAttempt } from './attempt.ts';
import { outcomeOfProbe } from './circuit-outcome.ts';
import type { Kind } from './kind.ts';
import { attemptLimits } from './time-limits.ts';

export interface CircuitProbesDependencies {
  readonly adapterOf: (protocol: string) => Adapter | undefined;
  readonly targets: ProviderTargets;
  readonly circuits: Circuits;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Shorter than the time for which a probe is reserved, so that no second probe begins during the first. */
const PROBE_WITHIN_MS = 20_000;
const PROBE_ANSWER_BYTES = 65_536;

export class CircuitProbes {
  readonly #needs: CircuitProbesDependencies;
  readonly #stop = new AbortController();
  readonly #running = new Set<Promise<void>>();

  constructor(needs: CircuitProbesDependencies) {
    this.#needs = needs;
  }

  /**
   * Probes the first candidate whose circuit is half open and is not being probed, if the kind has a request that is small enough. Does not wait for the
   * probe.
   */
  start(kind: Kind, candidates: readonly Candidate[]): void {
    if (candidates.length === 0 || !kind.ping || this.#stop.signal.aborted) return;
    const probing = this.#probeFirst(kind, candidates)
      .catch((error: unknown) => this.#needs.logger.warn({ err: error }, 'A circuit could not be probed'))
      .finally(() => this.#running.delete(probing));
    this.#running.add(probing);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#running);
  }

  async #probeFirst(kind: Kind, candidates: readonly Candidate[]): Promise<void> {
    const { circuits } = this.#needs;
    for (const candidate of candidates) {
      const key = candidate.circuitKey;
      if (circuits.view(key).state !== 'HALF_OPEN') continue;
      if ((await circuits.admit(key, false)) !== 'probe') continue;
      let outcome: CircuitOutcome = { result: 'neutral', firstTokenMs: null };
      try {
        outcome = await this.#probe(kind, candidate);
      } finally {
        circuits.record(key, outcome, 'probe', breaksCircuit(candidate));
      }
      return;
    }
  }

  async #probe(kind: Kind, candidate: Candidate): Promise<CircuitOutcome> {
    const { adapterOf, targets, clock, logger } = this.#needs;
    const adapter = adapterOf(candidate.protocol ?? '');
    if (!adapter || !candidate.spec || !kind.ping || !kind.isOfferedBy(adapter))
      return { result: 'neutral', firstTokenMs: null };
    const target = targets.of(candidate.config, candidate.spec, candidate.model);
    const enough = new AbortController();
    const result = await runAttempt({
      call: kind.prepare({ candidate, adapter, target }, kind.ping),
      limits: attemptLimits(candidate, true, PROBE_WITHIN_MS),
      clock,
      stop: AbortSignal.any([this.#stop.signal, enough.signal]),
      wholeSuffices: false,
      answer: kind.newAnswer(PROBE_ANSWER_BYTES),
      // The first content shows that the candidate works; the probe ends without waiting for the rest of the answer.
      onParts: () => enough.abort(),
    });
    const outcome = outcomeOfProbe(result, this.#stop.signal.aborted);
    logger.info({ candidate: candidate.label, ...outcome }, 'A half-open circuit was probed');
    return outcome;
  }
}
