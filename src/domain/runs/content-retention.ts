// Owns how long prompts and outputs are kept: each workspace sets a number of days, and older content is removed in small lots.
import { delay } from '../../kernel/async.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { ContentRepository } from '../../storage/repositories/content.repository.ts';

export interface ContentRetentionOptions {
  readonly content: ContentRepository;
  readonly logger: Logger;
  readonly sweepEverySeconds: number;
  /** A run keeps its content as long as its events can be replayed. */
  readonly replaySeconds: number;
}

const LOT = 200;
/** Pause between two lots, so that removal does not slow completions down. */
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
