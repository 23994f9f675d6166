// Owns the rule that only one process uses a data folder: PGlite does not lock its folder, and a second process that opens it destroys the database.
//
// 1. A process that wants the folder puts a claim into it: a Unix socket on which it listens, and a file that names the socket. The file appears
// complete, by a rename, once the socket listens. The kernel closes the socket when the process ends, for whatever reason and in whatever container.
// 2. The process then looks at all other claims. One that holds the folder takes precedence; of those that only want it, the one with the lowest name.
// 3. Every process shows its claim before it looks, so of two at the same moment at least one sees the other. The claim of a process that has ended is
// removed. Names are never used twice, so no claim of a running process is ever removed.
// 4. If the socket cannot tell (the folder allows no sockets, or the claim is of another machine), the process itself is looked for, or else its sign of
// life: the time of the claim's file, which its process updates again and again.
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
  /** How often, in milliseconds, a process gives a sign of life. */
  readonly signEveryMs?: number;
  /** Without a sign for this many milliseconds a process counts as ended, if nothing else can tell. */
  readonly silentMs?: number;
  /** False: behaves as in a folder in which no socket can be made. */
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
/** Bound on the looks; processes whose claims have higher names withdraw within moments. */
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

/** Resolves once no other claim takes precedence. */
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

/** A claim that was withdrawn since counts as alive, since there is nothing to remove. */
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

/** `undefined` if the claim was withdrawn, or cannot be read. */
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
    // If the folder is gone or the disk fails, the database itself reports it.
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
  return new StartError(
    `DATA_DIR: ${dataDir} could not be locked; another process is taking it at this moment`,
  );
}
