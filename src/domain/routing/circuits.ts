// Owns the circuit of each config and model: it opens on failures and slow calls, lets single probes through after a while, and closes on recovery.
import type { CircuitStore } from '../../coordination/contract.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { Telemetry } from '../../kernel/telemetry.ts';
import type { Candidate } from './candidates.ts';

export type CircuitState = 'CLOSED' | 'OPEN' | 'HALF_OPEN';

export interface CircuitView {
  readonly state: CircuitState;
  /** Why it opened, for people. */
  readonly reason: string | null;
  /** When the next probe may be made, in wall time. */
  readonly openUntilMs: number | null;
  /** Until then the provider has asked to receive no calls. */
  readonly quietUntilMs: number | null;
  readonly failuresInRow: number;
}

export interface CircuitSettings {
  readonly enabled: boolean;
  /** This many failures in a row open the circuit. */
  readonly failuresInRow: number;
  /** It also opens if half of the latest outcomes are failures, once there are this many outcomes. */
  readonly windowSize: number;
  /** A first token later than this counts as a failure. */
  readonly slowMs: number;
  /** How long, in milliseconds, an open circuit makes no calls before it may be probed. */
  readonly openMs: number;
}

/** The outcome of one run's calls of one candidate. `neutral`: it says nothing about the provider's health (cancelled, or the request was refused). */
export interface CircuitOutcome {
  readonly result: 'success' | 'failure' | 'neutral';
  readonly firstTokenMs: number | null;
  /** Why it failed, for people. */
  readonly reason?: string;
  /** How long, in milliseconds, the provider has asked to receive no calls. */
  readonly quietMs?: number;
}

export type Admission = 'go' | 'probe' | 'skip';

/** Whether failures of the candidate count: its instance decides, else its config, else the operator's default. */
export function breaksCircuit({ instance, config }: Candidate): boolean {
  return instance?.retryPolicy.circuitBreaker ?? config.retryPolicy.circuitBreaker ?? true;
}

interface Circuit {
  outcomes: boolean[];
  failuresInRow: number;
  openUntilMs: number | null;
  quietUntilMs: number | null;
  reason: string | null;
}

export interface CircuitsDependencies {
  readonly store: CircuitStore;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly settings: CircuitSettings;
}

/** If a node dies during a probe, the next probe waits no longer than this. */
const PROBE_MS = 30_000;
const CLOSED: CircuitView = {
  state: 'CLOSED',
  reason: null,
  openUntilMs: null,
  quietUntilMs: null,
  failuresInRow: 0,
};

export class Circuits {
  readonly #needs: CircuitsDependencies;
  readonly #circuits = new Map<string, Circuit>();
  readonly #unfollow: () => void;

  constructor(needs: CircuitsDependencies) {
    this.#needs = needs;
    this.#unfollow = needs.store.follow(({ key, ...news }) => {
      Object.assign(this.#of(key), news, news.openUntilMs === null ? { outcomes: [], failuresInRow: 0 } : {});
    });
  }

  close(): void {
    this.#unfollow();
  }

  view(key: string): CircuitView {
    const circuit = this.#circuits.get(key);
    if (!circuit) return CLOSED;
    const { reason, openUntilMs, quietUntilMs, failuresInRow } = circuit;
    const now = this.#now();
    const state = openUntilMs === null ? 'CLOSED' : now < openUntilMs ? 'OPEN' : 'HALF_OPEN';
    const quiet = quietUntilMs !== null && quietUntilMs > now ? quietUntilMs : null;
    return {
      state,
      reason: openUntilMs === null ? null : reason,
      openUntilMs,
      quietUntilMs: quiet,
      failuresInRow,
    };
  }

  /** Whether a call may be made now. `mustTry`: there is no other candidate, so an open circuit may be called. */
  async admit(key: string, mustTry: boolean): Promise<Admission> {
    const { state } = this.view(key);
    if (state === 'CLOSED') return 'go';
    if (state === 'HALF_OPEN' && (await this.#needs.store.acquireProbe(key, PROBE_MS))) return 'probe';
    return mustTry ? 'go' : 'skip';
  }

  /** Records the outcome of a call; `enabled`: whether failures of this candidate count. */
  record(key: string, outcome: CircuitOutcome, admission: Admission, enabled: boolean): void {
    const { settings, store } = this.#needs;
    if (admission === 'probe') store.releaseProbe(key);
    if (outcome.quietMs !== undefined) this.#keepQuiet(key, outcome.quietMs);
    if (outcome.result === 'neutral' || !enabled || !settings.enabled) return;
    const slow = outcome.firstTokenMs !== null && outcome.firstTokenMs > settings.slowMs;
    if (outcome.result === 'success' && !slow) this.#succeeded(key);
    else
      this.#failed(
        key,
        slow ? `slow: the first token took ${outcome.firstTokenMs} ms` : (outcome.reason ?? 'it failed'),
      );
  }

  /** Closes the circuit on request of an administrator. */
  reset(key: string): void {
    this.#circuits.delete(key);
    this.#needs.store.publish({ key, openUntilMs: null, reason: null, quietUntilMs: null });
  }

  #succeeded(key: string): void {
    const circuit = this.#circuits.get(key);
    // A circuit that has never failed takes no memory.
    if (!circuit) return;
    circuit.failuresInRow = 0;
    if (circuit.openUntilMs === null) {
      this.#note(circuit, true);
      return;
    }
    circuit.openUntilMs = null;
    circuit.outcomes = [];
    this.#tell(key, circuit);
    this.#needs.telemetry.emit({ type: 'circuit-turned', circuit: key, to: 'CLOSED', reason: null });
  }

  #failed(key: string, reason: string): void {
    const { settings } = this.#needs;
    const circuit = this.#of(key);
    circuit.failuresInRow += 1;
    this.#note(circuit, false);
    const failures = circuit.outcomes.filter((ok) => !ok).length;
    const halfFailed =
      circuit.outcomes.length >= settings.windowSize && failures * 2 >= circuit.outcomes.length;
    const wasOpen = circuit.openUntilMs !== null;
    if (!wasOpen && circuit.failuresInRow < settings.failuresInRow && !halfFailed) return;
    circuit.openUntilMs = this.#now() + settings.openMs;
    circuit.reason = reason;
    this.#tell(key, circuit);
    if (!wasOpen) this.#needs.telemetry.emit({ type: 'circuit-turned', circuit: key, to: 'OPEN', reason });
  }

  #keepQuiet(key: string, quietMs: number): void {
    const circuit = this.#of(key);
    circuit.quietUntilMs = this.#now() + quietMs;
    this.#tell(key, circuit);
  }

  #note(circuit: Circuit, ok: boolean): void {
    circuit.outcomes.push(ok);
    if (circuit.outcomes.length > this.#needs.settings.windowSize) circuit.outcomes.shift();
  }

  #tell(key: string, { openUntilMs, reason, quietUntilMs }: Circuit): void {
    this.#needs.store.publish({ key, openUntilMs, reason, quietUntilMs });
  }

  #of(key: string): Circuit {
    let circuit = this.#circuits.get(key);
    if (!circuit) {
      circuit = { outcomes: [], failuresInRow: 0, openUntilMs: null, quietUntilMs: null, reason: null };
      this.#circuits.set(key, circuit);
    }
    return circuit;
  }

  #now(): number {
    return this.#needs.clock.now().getTime();
  }
}
