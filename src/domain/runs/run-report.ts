// Owns what telemetry is told of a run that has ended, without a word of its content.
import type { RunEnded, Telemetry } from '../../kernel/telemetry.ts';
import type { TraceContext } from '../../kernel/trace-context.ts';
import { explainRun } from './explanation.ts';
import type { RunRecord } from './run-record.ts';

/** `trace`: known to the node that ran it only. */
export function reportEnd(
  telemetry: Telemetry,
  record: RunRecord,
  by: RunEnded['by'],
  trace?: TraceContext,
): void {
  if (!telemetry.isHeard) return;
  const { attempts = [], createdAt } = record;
  telemetry.emit({
    type: 'run-ended',
    by,
    requestId: record.requestId,
    trace,
    workspaceId: record.workspaceId,
    runId: record.id,
    kind: record.kind,
    status: record.status,
    model: record.model,
    canonicalId: record.canonicalId,
    usage: record.usage,
    costNano: record.costNano,
    attempts: attempts.length,
    explanation: explainRun(record, attempts),
    durationMs: (record.endedAt?.getTime() ?? createdAt.getTime()) - createdAt.getTime(),
    code: record.error?.code,
  });
}
