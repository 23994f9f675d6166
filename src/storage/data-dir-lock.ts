// Owns that only one process uses a data folder: PGlite does not lock its folder, and a second opener destroys the database.
//
// 1. Whoever wants the folder puts a claim of its own into it: a Unix socket on which it listens, and a file that names it. The file appears whole,
//    by a rename, once the socket listens. The kernel closes the socket when the process ends, however it ends and in whatever container.
// 2. It then looks at all other claims. One that holds the folder goes first, and of those that only want it the one of the lowest name.
// 3. Everybody shows its claim before it looks, so of two at the same moment at least one sees the other. The claim of a process that is gone is
//    removed; names are never used twice, so that nothing alive is ever removed.
// 4. Where the socket cannot tell (no sockets in such a folder, or another machine's), the process is looked for, and else its sign of life: the
//    time of the claim's file, which its process sets anew again and again.
import { randomBytes } from 'node:crypto';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { delay } from '../kernel/async.ts';
import { StartError } from '../kernel/errors.ts';
import { isJsonObject, parseJson } from '../kernel/json.ts';
import { inDataDir } from './data-dir.ts';
import { type ClaimSocket, listensAt, openClaimSocket } from './data-dir-socket.ts';
import { isRunning, type ProcessName, thisProcess } from './process-name.ts';

export interface DataDirLock {
  release(): void;
}

export interface DataDirLockOptions {
  /** How often a process gives a sign of life. */
  readonly signEveryMs?: number;
  /** Without a sign for so long a process is gone, where nothing else can tell. */
  readonly silentMs?: number;
  /** False: as in a folder in which no socket can be made. */
  readonly sockets?: boolean;
}

interface Claim extends ProcessName {
  readonly hasSocket: boolean;
  readonly holds: boolean;
}

const FOLDER = 'lock';
const CLAIM = '.json';
const SOCKET = '.sock';
const SIGN_EVERY_MS = 2_000;
const SILENT_MS = 15_000;
const LOOK_AGAIN_MS = 20;
/** Those of a higher name step back within moments. */
const MAX_LOOKS = 250;

/** Takes the folder for this process. Raises `StartError` that names the holder, or why the folder cannot be used. */
export async function lockDataDir(dataDir: string, options: DataDirLockOptions = {}): Promise<DataDirLock> {
  const folder = join(dataDir, FOLDER);
  inDataDir(dataDir, () => mkdirSync(folder, { recursive: true, mode: 0o700 }));
  const name = randomBytes(8).toString('hex');
  const socket = options.sockets === false ? undefined : await openClaimSocket(folder, name + SOCKET);
  const show = (holds: boolean) =>
    inDataDir(dataDir, () => {
      const claim: Claim = { ...thisProcess(), hasSocket: socket !== undefined, holds };
      const path = join(folder, name);
      writeFileSync(`${path}.new`, JSON.stringify(claim), { mode: 0o600 });
      renameSync(`${path}.new`, path + CLAIM);
    });
  const timer = setInterval(() => giveSign(join(folder, name + CLAIM)), options.signEveryMs ?? SIGN_EVERY_MS);
  timer.unref();
  const release = () => {
    clearInterval(timer);
    removeClaim(folder, name, socket);
  };
  try {
    show(false);
    await goFirst(dataDir, folder, name, options.silentMs ?? SILENT_MS);
    show(true);
    return { release };
  } catch (error) {
    release();
    throw error;
  }
}

/** Resolves once no other claim goes first. */
async function goFirst(dataDir: string, folder: string, own: string, silentMs: number): Promise<void> {
  for (let look = 0; look < MAX_LOOKS; look += 1) {
    let waiting = false;
    for (const name of claimsIn(folder)) {
      if (name === own) continue;
      if (!(await isAlive(folder, name, silentMs))) {
        removeClaim(folder, name);
        continue;
      }
      const claim = readClaim(folder, name);
      if (claim?.holds) throw inUse(dataDir, claim);
      if (claim && name < own) throw beingTaken(dataDir);
      waiting ||= claim !== undefined;
    }
    if (!waiting) return;
    await delay(LOOK_AGAIN_MS);
  }
  throw beingTaken(dataDir);
}

/** One that has been taken back meanwhile counts as alive: there is nothing to remove. */
async function isAlive(folder: string, name: string, silentMs: number): Promise<boolean> {
  const claim = readClaim(folder, name);
  const { kernel, pidSpace } = thisProcess();
  if (claim?.kernel === kernel) {
    const listens = claim.hasSocket ? await listensAt(folder, name + SOCKET) : undefined;
    if (listens !== undefined) return listens;
    if (!claim.hasSocket && claim.pidSpace === pidSpace) return isRunning(claim);
  }
  const path = join(folder, name + CLAIM);
  const before = signOf(path);
  let last = before;
  for (let waited = 0; waited < silentMs && last === before && last !== undefined; waited += LOOK_AGAIN_MS) {
    await delay(LOOK_AGAIN_MS);
    last = signOf(path);
  }
  return last === undefined || last !== before;
}

function claimsIn(folder: string): string[] {
  const files = readdirSync(folder).filter((file) => file.endsWith(CLAIM));
  return files.map((file) => file.slice(0, -CLAIM.length));
}

/** `undefined` where it has been taken back, or cannot be read. */
function readClaim(folder: string, name: string): Claim | undefined {
  try {
    const value = parseJson(readFileSync(join(folder, name + CLAIM), 'utf8'));
    return isJsonObject(value) ? (value as unknown as Claim) : undefined;
  } catch {
    return undefined;
  }
}

function removeClaim(folder: string, name: string, socket?: ClaimSocket): void {
  rmSync(join(folder, name + CLAIM), { force: true });
  rmSync(join(folder, `${name}.new`), { force: true });
  socket?.close();
  rmSync(join(folder, name + SOCKET), { force: true });
}

function giveSign(path: string): void {
  try {
    const now = new Date();
    utimesSync(path, now, now);
  } catch {
    // A folder that is gone, or a disk that fails, is told by the database itself.
  }
}

function signOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}

function inUse(dataDir: string, { pid, host }: Claim): StartError {
  return new StartError(
    `DATA_DIR: ${dataDir} is in use by the process ${pid} on ${host}; stop it, or choose another folder or a DATABASE_URL`,
  );
}

function beingTaken(dataDir: string): StartError {
  return new StartError(`DATA_DIR: ${dataDir} could not be locked; another process takes it at this moment`);
}
