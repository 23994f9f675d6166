// Owns the money held for one run: the hold is raised before a more expensive attempt, and again when the output exceeds what it covers.
import { StorageError } from '../../kernel/errors.ts';
import type { Nano } from '../../kernel/money.ts';
import { type PriceVersions, priceInForce } from '../billing/model-price.ts';
import { type Candidate, isFree } from '../routing/candidates.ts';
import type { Answer, Kind, MeasuredRequest } from './kind.ts';
import type { RunRequest } from './run-request.ts';

export interface RunFundsOptions {
  readonly kind: Kind;
  readonly request: RunRequest;
  readonly measured: MeasuredRequest;
  readonly prices: PriceVersions;
  /** When the run begins: prices that take effect later do not apply to it. */
  readonly at: Date;
  /** Asks the database to raise the hold to this total; false if the funds do not allow it. */
  readonly raise: (amount: Nano) => Promise<boolean>;
}

export class RunFunds {
  readonly #options: RunFundsOptions;
  #held: Nano = 0n;
  /** The output that the hold covers for the candidate that is being called, in the kind's units. */
  #coveredOutput = Number.POSITIVE_INFINITY;
  #asking = false;

  constructor(options: RunFundsOptions) {
    this.#options = options;
  }

  /** The amount to hold for a candidate. A run begins with the amount for its first candidate. */
  amountFor(candidate: Candidate, output = this.#outputOf(candidate)): Nano {
    if (isFree(candidate)) return 0n;
    const { kind, measured, prices, at } = this.#options;
    const price = priceInForce(prices, candidate.canonicalId, at);
    return price ? kind.amountHeld(price, measured, output) : 0n;
  }

  /** Sets the hold that the run has begun with. */
  begunWith(amount: Nano): void {
    this.#held = amount;
  }

  /** True if the hold covers a call of the candidate; it is raised for this if need be. */
  async cover(candidate: Candidate): Promise<boolean> {
    const amount = this.amountFor(candidate);
    if (amount > this.#held && !(await this.#raiseTo(amount).catch(notNow))) return false;
    this.#coveredOutput = amount === 0n ? Number.POSITIVE_INFINITY : this.#outputOf(candidate);
    return true;
  }

  /** Called with every read of an answer: when the output exceeds what the hold covers, it raises the hold to cover twice as much. */
  watch(candidate: Candidate, answer: Answer, refused: () => void): void {
    if (this.#asking || answer.outputSoFar <= this.#coveredOutput) return;
    const output = this.#coveredOutput * 2;
    this.#asking = true;
    this.#raiseTo(this.amountFor(candidate, output))
      .then((granted) => {
        if (granted) this.#coveredOutput = output;
        else refused();
      })
      // While the database is away the answer goes on, and its next read asks for the higher hold again.
      .catch(() => {})
      .finally(() => {
        this.#asking = false;
      });
  }

  async #raiseTo(amount: Nano): Promise<boolean> {
    if (!(await this.#options.raise(amount))) return false;
    this.#held = amount;
    return true;
  }

  #outputOf(candidate: Candidate): number {
    return this.#options.kind.outputHeld(candidate, this.#options.request);
  }
}

/** While the database is away no hold can be raised, so candidates that need more are skipped. */
function notNow(error: unknown): boolean {
  if (error instanceof StorageError) return false;
  throw error;
}
