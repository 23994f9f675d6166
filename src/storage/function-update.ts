// Owns bringing the functions of the database to the texts in `functions/`, at each start, and the rule that keeps nodes of two versions working:
//
// 1. A change that keeps the parameters, the result and their meaning is made in place: change the text, raise `version` by one.
// 2. Anything else is another function: a new file with a new name. The old file stays for one version of the gateway, since nodes of that
//    version still call it during a rolling upgrade; with the version after, its file goes and its signature is listed in `DROPPED_FUNCTIONS`.
// 3. Only a higher version replaces what a database has. A node of an older build that starts (again) beside newer ones leaves their texts alone.
// 4. One version has one text. A database with another text under the same version is refused, because then a text was changed without its version.
import { createHash } from 'node:crypto';
import { StartError } from '../kernel/errors.ts';
import type { DatabaseFunction } from './functions/database-function.ts';

/** A function as the database has it recorded. */
export interface AppliedFunction {
  readonly name: string;
  readonly version: number;
  readonly digest: string;
}

export interface FunctionSet {
  readonly present: readonly DatabaseFunction[];
  /** Signatures by name. */
  readonly dropped: Readonly<Record<string, string>>;
}

export interface FunctionUpdate {
  readonly apply: readonly DatabaseFunction[];
  /** Names of the functions to drop. */
  readonly drop: readonly string[];
}

/** The functions that the database lacks or has in an older version. Raises `StartError`. */
export function functionUpdate(applied: readonly AppliedFunction[], functions: FunctionSet): FunctionUpdate {
  const byName = new Map(applied.map((each) => [each.name, each]));
  return {
    apply: functions.present.filter((each) => isBehind(byName.get(each.name), each)),
    drop: Object.keys(functions.dropped).filter((name) => byName.has(name)),
  };
}

function isBehind(applied: AppliedFunction | undefined, { name, version, text }: DatabaseFunction): boolean {
  if (!applied || applied.version < version) return true;
  if (applied.version === version && applied.digest !== digestOf(text)) {
    throw new StartError(
      `The database has another text of its function ${name} than this build, both as version ${version}. Two builds with different texts have used the same number; start the newer of them, or, in development, raise the function's version in src/storage/functions`,
    );
  }
  return false;
}

/** The statements that create the function and record it. */
export function applyStatements({ name, version, text }: DatabaseFunction): string[] {
  return [
    text,
    `insert into database_function (name, version, digest) values ('${name}', ${version}, '${digestOf(text)}')
     on conflict (name) do update set version = excluded.version, digest = excluded.digest, applied_at = now()`,
  ];
}

export function dropStatements(name: string, signature: string): string[] {
  return [`drop function if exists ${signature}`, `delete from database_function where name = '${name}'`];
}

export function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
