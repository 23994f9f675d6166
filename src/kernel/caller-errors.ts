// Owns the errors as callers see them at any door: the gateway's own errors keep their words, unexpected ones are masked and logged once.
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

  /** The error to send to the caller, with no word that the caller may not read. Call it once for each error that goes out, because it also logs. */
  told(error: unknown, requestId: string): GatewayError {
    const known = toGatewayError(error);
    if (!known) {
      this.#logger.error({ err: error, requestId }, 'An unexpected error was masked');
      const message = 'The gateway failed unexpectedly; its log has the cause under the request id';
      return new GatewayError('INTERNAL', message, { cause: error });
    }
    if (known.code === 'STORAGE_UNAVAILABLE') this.#outages.tell(known, requestId);
    if (known.code === 'INTERNAL') this.#logger.error({ err: known, requestId }, 'A request failed');
    return known;
  }
}
