// Owns the money that is held for one run: raised before a dearer attempt, and again when its output passes what was held for it.
import { StorageError } from '../../kernel/errors.ts';
import type { Nano } from '../../kernel/money.ts';
import { holdFor } from '../billing/hold.ts';
import { type PriceVersions, priceInForce } from '../billing/model-price.ts';
import { InputEstimate, outputTokensHeld, outputTokensOf } from '../billing/token-estimate.ts';
import { type Candidate, isFree } from '../routing/candidates.ts';
import type { Answer } from './answer.ts';
import type { CompletionRequest } from './completion-request.ts';

export interface RunFundsOptions {
  readonly request: CompletionRequest;
  readonly prices: PriceVersions;
  /** When the run begins: prices of later are none of its. */
  readonly at: Date;
  /** Whether the hold may come to so much in all. */
  readonly raise: (amount: Nano) => Promise<boolean>;
}

export class RunFunds {
  readonly #options: RunFundsOptions;
  readonly #inputTokens: number;
  #held: Nano = 0n;
  /** Output that the hold covers at the candidate that is called now. */
  #coveredTokens = Number.POSITIVE_INFINITY;
  #asking = false;

  constructor(options: RunFundsOptions) {
    this.#options = options;
    this.#inputTokens = new InputEstimate(options.request.messages, options.request.tools).held;
  }

  /** What is to be held for a candidate; the hold that the run begins with is that of the first. */
  amountFor(candidate: Candidate, outputTokens = this.#outputTokens(candidate)): Nano {
    if (isFree(candidate)) return 0n;
    const price = priceInForce(this.#options.prices, candidate.canonicalId, this.#options.at);
    return price ? holdFor(price, this.#inputTokens, outputTokens) : 0n;
  }

  /** The run has begun with this hold. */
  begunWith(amount: Nano): void {
    this.#held = amount;
  }

  /** Whether the hold covers a call of the candidate, raised if need be. */
  async cover(candidate: Candidate): Promise<boolean> {
    const amount = this.amountFor(candidate);
    if (amount > this.#held && !(await this.#raiseTo(amount).catch(notNow))) return false;
    this.#coveredTokens = amount === 0n ? Number.POSITIVE_INFINITY : this.#outputTokens(candidate);
    return true;
  }

  /** Called with every read of an answer; asks for as much output again once what is covered has come. */
  watch(candidate: Candidate, answer: Answer, refused: () => void): void {
    if (this.#asking || tokensOf(answer) <= this.#coveredTokens) return;
    const tokens = this.#coveredTokens * 2;
    this.#asking = true;
    this.#raiseTo(this.amountFor(candidate, tokens))
      .then((granted) => {
        if (granted) this.#coveredTokens = tokens;
        else refused();
      })
      // Text flows on while the database is away; the next read asks again.
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

  #outputTokens({ instance, model }: Candidate): number {
    const { maxTokens } = { ...instance?.defaultParameters, ...this.#options.request.parameters } as {
      maxTokens?: number;
    };
    return outputTokensHeld(maxTokens, model?.maxOutputTokens);
  }
}

/** While the database is away nothing more can be held: what is dearer is passed over. */
function notNow(error: unknown): boolean {
  if (error instanceof StorageError) return false;
  throw error;
}

function tokensOf({ usage, text, reasoning }: Answer): number {
  const counted = (usage?.outputTokens ?? 0) + (usage?.reasoningTokens ?? 0);
  return Math.max(counted, outputTokensOf(text.length + reasoning.length));
}
