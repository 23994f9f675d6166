// Owns how a folder of recorded answers is read: `<kind>-<id>.body` beside `<kind>-<id>.json`, one folder a provider.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { at, listAt, numberAt, textAt } from './walk.ts';

export interface RecordedCase {
  readonly provider: string;
  /** `<kind>-<id>`. */
  readonly name: string;
  readonly kind: string;
  readonly body: Buffer;
  readonly method: string;
  readonly uri: string;
  readonly status: number;
  /** Lower-case names, without those that only held for the recorded connection. */
  readonly headers: Readonly<Record<string, string>>;
  readonly tags: readonly string[];
}

const HOP_HEADERS = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'date',
  'keep-alive',
  'set-cookie',
  'transfer-encoding',
]);

/** The cases of a provider's folder, or of each provider's folder in it. */
export function readCases(folder: string): RecordedCase[] {
  const path = resolve(folder);
  if (!existsSync(path)) throw new Error(`No such folder: ${folder}`);
  const entries = readdirSync(path).sort();
  const inside = entries.filter((entry) => statSync(join(path, entry)).isDirectory());
  return [
    ...entries.filter((entry) => entry.endsWith('.body')).map((entry) => readCase(path, entry.slice(0, -5))),
    ...inside.flatMap((entry) => readCases(join(path, entry))),
  ];
}

function readCase(folder: string, name: string): RecordedCase {
  const description: unknown = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8'));
  return {
    provider: basename(folder),
    name,
    kind: name.slice(0, name.indexOf('-')),
    body: readFileSync(join(folder, `${name}.body`)),
    method: textAt(description, 'request', 'method') ?? 'POST',
    uri: textAt(description, 'request', 'uri') ?? '',
    status: numberAt(description, 'response', 'status') ?? 200,
    headers: servedHeaders(at(description, 'response', 'headers')),
    tags: listAt(description, 'tags').map(String),
  };
}

function servedHeaders(recorded: unknown): Record<string, string> {
  const served: Record<string, string> = {};
  for (const [name, value] of Object.entries((recorded ?? {}) as object)) {
    const text = [value].flat().join(', ');
    if (!HOP_HEADERS.has(name.toLowerCase())) served[name.toLowerCase()] = text;
  }
  return served;
}
