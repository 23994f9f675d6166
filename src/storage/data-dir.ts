// Owns the data folder: that only one process uses it, and the keys that development keeps in it.
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StartError } from '../kernel/errors.ts';
import { isJsonObject, parseJson } from '../kernel/json.ts';

const LOCK_FILE = 'modelgraph.lock';
const OWNER_ONLY = 0o600;

export interface DataDirLock {
  release(): void;
}

/**
 * Takes the folder for this process. PGlite does not lock its folder, and a second opener corrupts it.
 * A lock left by a process that is gone is taken over. Raises `StartError` that names the holder.
 */
export function lockDataDir(dataDir: string): DataDirLock {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const path = join(dataDir, LOCK_FILE);
  const own = JSON.stringify({ pid: process.pid, startedAt: startOf(process.pid) });
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      writeFileSync(path, own, { flag: 'wx', mode: OWNER_ONLY });
      return { release: () => releaseIfOwn(path, own) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = readHolder(path);
    if (holder !== undefined && isAlive(holder)) {
      throw new StartError(
        `DATA_DIR: ${dataDir} is in use by the process ${holder.pid}; stop it, or choose another folder or a DATABASE_URL`,
      );
    }
    rmSync(path, { force: true });
  }
  throw new StartError(`DATA_DIR: ${dataDir} could not be locked; another process takes it at this moment`);
}

/** The text of `name` in the folder; made by `make` and kept there, readable by the owner only, if there is none. */
export function keepInDataDir(dataDir: string, name: string, make: () => string): string {
  const path = join(dataDir, name);
  if (existsSync(path)) return readFileSync(path, 'utf8').trim();
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const text = make();
  writeFileSync(path, `${text}\n`, { flag: 'wx', mode: OWNER_ONLY });
  return text;
}

/** A key ring with one fresh key. */
export function makeKeyRing(): string {
  return `k1:${randomBytes(32).toString('base64')}`;
}

interface Holder {
  readonly pid: number;
  readonly startedAt: string;
}

function readHolder(path: string): Holder | undefined {
  if (!existsSync(path)) return undefined;
  const value = parseJson(readFileSync(path, 'utf8'));
  if (!isJsonObject(value)) return undefined;
  const { pid, startedAt } = value;
  return typeof pid === 'number' && typeof startedAt === 'string' ? { pid, startedAt } : undefined;
}

/** The pid exists, and is not that of a later process which happened to get the same number. */
function isAlive({ pid, startedAt }: Holder): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return startOf(pid) === startedAt;
}

/** When a process began, in clock ticks since boot, with the boot's id; where there is no /proc, only its pid speaks for it. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command (second field) may hold spaces; what follows its closing bracket does not.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}:${fields[19]}`;
  } catch {
    return 'unknown';
  }
}

function releaseIfOwn(path: string, own: string): void {
  if (existsSync(path) && readFileSync(path, 'utf8') === own) rmSync(path, { force: true });
}
