// Owns what a caller is told of an error at any door: the gateway's own errors in their words, anything unexpected masked; and what the log is told of it, once.
import { GatewayError } from './errors.ts';
import { toGatewayError } from './gateway-error.ts';
import type { Logger } from './logger.ts';
import { OutageLog } from './outage-log.ts';

export class CallerErrors {
  readonly #logger: Logger;
  readonly #outages: OutageLog;

  constructor(logger: Logger) {
    this.#logger = logger;
    this.#outages = new OutageLog(logger);
  }

  /** What is to be told, with every word fit for the caller. Call it once for each error that goes out. */
  told(error: unknown, requestId: string): GatewayError {
    const known = toGatewayError(error);
    if (!known) {
      this.#logger.error({ err: error, requestId }, 'An unexpected error was masked');
      const message = 'Something went wrong here; the log has it under the request id';
      return new GatewayError('INTERNAL', message, { cause: error });
    }
    if (known.code === 'STORAGE_UNAVAILABLE') this.#outages.tell(known, requestId);
    if (known.code === 'INTERNAL') this.#logger.error({ err: known, requestId }, 'A request failed');
    return known;
  }
}
