// Owns the table that the runner prints.
import type { CaseResult } from './check-case.ts';

const COLUMNS = ['provider', 'protocol', 'cases', 'read', 'named', 'failed'] as const;

/** One row a provider, then the failed and the named cases with their reasons, then the sums. */
export function reportOf(results: readonly CaseResult[]): string {
  const providers = Map.groupBy(results, ({ recorded, protocol }) => `${recorded.provider}\n${protocol}`);
  const rows = [...providers].map(([key, own]) => [
    ...key.split('\n'),
    ...[own.length, count(own, 'passed'), count(own, 'named'), count(own, 'failed')].map(String),
  ]);
  return [
    ...aligned([[...COLUMNS], ...rows]),
    ...reasonsOf('Failed:', 'failed', results),
    ...reasonsOf('Named: not the adapter, but the recording:', 'named', results),
    '',
    `${results.length - count(results, 'failed')} passed, ${count(results, 'failed')} failed`,
  ].join('\n');
}

function count(results: readonly CaseResult[], verdict: CaseResult['verdict']): number {
  return results.filter((result) => result.verdict === verdict).length;
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column < 2 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  '),
  );
}

function reasonsOf(title: string, verdict: CaseResult['verdict'], results: readonly CaseResult[]): string[] {
  const own = results.filter((result) => result.verdict === verdict);
  if (own.length === 0) return [];
  const lines = own.flatMap(({ recorded, reasons }) => [
    `  ${recorded.provider}/${recorded.name}`,
    ...reasons.map((reason) => `    ${reason}`),
  ]);
  return ['', title, ...lines];
}
