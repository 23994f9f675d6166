// Owns the data folder: the files in it beside the database, and the error for an operator whose folder cannot be used.
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from '../kernel/errors.ts';

const OWNER_ONLY = 0o600;
const FOLDER_OWNER_ONLY = 0o700;
const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write to it',
  EPERM: 'this user may not write to it',
  EROFS: 'it is read-only',
  ENOSPC: 'its disk is full',
  EDQUOT: 'its disk quota is used up',
  ENOTDIR: 'it is not a folder',
  EEXIST: 'it is not a folder',
};

/** Does `work` with the files of the folder, which is created if it does not exist. A refusal by the system becomes a `StartError`. */
export function inDataDir<Result>(dataDir: string, work: () => Result): Result {
  try {
    mkdirSync(dataDir, { recursive: true, mode: FOLDER_OWNER_ONLY });
    return work();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (error instanceof StartError || code === undefined) throw error;
    throw new StartError(
      `DATA_DIR: ${dataDir} cannot be used: ${REASONS[code] ?? message}. Mend that, or choose another folder`,
      { cause: error },
    );
  }
}

/** The text of the file `name` in the folder. If there is none, `make` gives the text, and it is stored so that only the process's user can read it. */
export function keepInDataDir(dataDir: string, name: string, make: () => string): string {
  const path = join(dataDir, name);
  return inDataDir(dataDir, () => {
    if (existsSync(path)) return readFileSync(path, 'utf8').trim();
    const text = make();
    writeFileSync(path, `${text}\n`, { flag: 'wx', mode: OWNER_ONLY });
    return text;
  });
}

/** A key ring with one new key. */
export function makeKeyRing(): string {
  return `k1:${randomBytes(32).toString('base64')}`;
}
