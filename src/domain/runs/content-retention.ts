// Owns how long prompts and outputs are kept: each workspace says how many days, and what is older goes a little at a time.
import { delay } from '../../kernel/async.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { ContentRepository } from '../../storage/repositories/content.repository.ts';

export interface ContentRetentionOptions {
  readonly content: ContentRepository;
  readonly logger: Logger;
  readonly sweepEverySeconds: number;
  /** A run stays whole as long as it can be replayed. */
  readonly replaySeconds: number;
}

const LOT = 200;
/** Between lots, so that removal never keeps the database from completions. */
const PAUSE_MS = 50;

export class ContentRetention {
  readonly #options: ContentRetentionOptions;
  readonly #closing = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<void> | undefined;

  constructor(options: ContentRetentionOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#sweeping ??= this.#sweep().finally(() => {
        this.#sweeping = undefined;
      });
    }, this.#options.sweepEverySeconds * 1_000);
    this.#timer.unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#closing.abort();
    await this.#sweeping;
  }

  async #sweep(): Promise<void> {
    const { content, replaySeconds, logger } = this.#options;
    try {
      while (!this.#closing.signal.aborted) {
        if ((await content.remove(replaySeconds, LOT)) < LOT) return;
        await delay(PAUSE_MS, this.#closing.signal).catch(() => {});
      }
    } catch (error) {
      logger.warn({ err: error }, 'Old content could not be removed; trying again');
    }
  }
}
