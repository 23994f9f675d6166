// Owns the money that is held for one run: raised before a dearer attempt, and again when its output passes what was held for it.
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
  /** When the run begins: prices of later are none of its. */
  readonly at: Date;
  /** Whether the hold may come to so much in all. */
  readonly raise: (amount: Nano) => Promise<boolean>;
}

export class RunFunds {
  readonly #options: RunFundsOptions;
  #held: Nano = 0n;
  /** Output that the hold covers at the candidate that is called now, in the units of its kind. */
  #coveredOutput = Number.POSITIVE_INFINITY;
  #asking = false;

  constructor(options: RunFundsOptions) {
    this.#options = options;
  }

  /** What is to be held for a candidate; the hold that the run begins with is that of the first. */
  amountFor(candidate: Candidate, output = this.#outputOf(candidate)): Nano {
    if (isFree(candidate)) return 0n;
    const { kind, measured, prices, at } = this.#options;
    const price = priceInForce(prices, candidate.canonicalId, at);
    return price ? kind.amountHeld(price, measured, output) : 0n;
  }

  /** The run has begun with this hold. */
  begunWith(amount: Nano): void {
    this.#held = amount;
  }

  /** Whether the hold covers a call of the candidate, raised if need be. */
  async cover(candidate: Candidate): Promise<boolean> {
    const amount = this.amountFor(candidate);
    if (amount > this.#held && !(await this.#raiseTo(amount).catch(notNow))) return false;
    this.#coveredOutput = amount === 0n ? Number.POSITIVE_INFINITY : this.#outputOf(candidate);
    return true;
  }

  /** Called with every read of an answer; asks for as much output again once what is covered has come. */
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

/** While the database is away nothing more can be held: what is dearer is passed over. */
function notNow(error: unknown): boolean {
  if (error instanceof StorageError) return false;
  throw error;
}
