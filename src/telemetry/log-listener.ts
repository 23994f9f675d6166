// Owns the log lines of telemetry: one for each kind of event that an operator wants to read, at a fitting level.
import type { Logger } from '../kernel/logger.ts';
import type { AttemptEnded, RunEnded, TelemetryEvent, TelemetryListener } from '../kernel/telemetry.ts';

type Writers = {
  readonly [Type in TelemetryEvent['type']]: (
    event: Extract<TelemetryEvent, { readonly type: Type }>,
    logger: Logger,
  ) => void;
};

/** Events without a log line appear in figures only: a refused caller is told by its error, and slowness does not show in single lines. */
const noLine = () => {};

const WRITERS: Writers = {
  'attempt-ended': writeAttempt,
  'run-ended'(event, logger) {
    if (event.by === 'its node') logger.info(fieldsOfRun(event), 'A completion ended');
    else logger.warn({ runId: event.runId }, 'A run that no node carried on was ended as interrupted');
  },
  'upstream-answered': ({ method, host, path, outcome, ms }, logger) =>
    logger.debug({ method, host, path, ...outcome, ms }, 'upstream request'),
  'group-committed': noLine,
  'redis-missed'({ error, leftOut }, logger) {
    if (leftOut !== undefined) logger.warn({ err: error }, `Redis ${leftOut}; it is left out until it does`);
  },
  'redis-returned': (_event, logger) => logger.info({}, 'Redis answers again'),
  'circuit-turned'({ circuit, to, reason }, logger) {
    if (to === 'CLOSED') logger.info({ circuit }, 'A circuit closed: its provider answers again');
    else logger.warn({ circuit, reason }, 'A circuit opened: its calls are held back');
  },
  'limit-refused': noLine,
  'stream-resumed': noLine,
};

export function createLogListener(logger: Logger): TelemetryListener {
  return (event) => (WRITERS[event.type] as (event: TelemetryEvent, logger: Logger) => void)(event, logger);
}

function writeAttempt(event: AttemptEnded, logger: Logger): void {
  const { requestId, runId, provider, config, candidate, attempt, firstTokenMs, durationMs, fault } = event;
  const fields = { requestId, runId, provider, config, candidate, attempt, firstTokenMs, durationMs };
  if (!fault || event.stopped) {
    logger.debug(fields, 'An attempt ended');
    return;
  }
  const { code, status, providerRequestId, error: err } = fault;
  logger.error({ ...fields, code, status, providerRequestId, err }, 'A provider failed');
}

function fieldsOfRun(event: RunEnded): object {
  const { requestId, runId, status, model, canonicalId, usage, costNano, attempts, explanation } = event;
  return {
    requestId,
    runId,
    status,
    model,
    canonicalId,
    usage,
    costNano: costNano?.toString() ?? null,
    attempts,
    explanation,
    durationMs: event.durationMs,
    ...(event.code === undefined ? {} : { code: event.code }),
  };
}
