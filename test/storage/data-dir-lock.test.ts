import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { keepInDataDir } from '../../src/storage/data-dir.ts';
import { type DataDirLock, type DataDirLockOptions, lockDataDir } from '../../src/storage/data-dir-lock.ts';
import { thisProcess } from '../../src/storage/process-name.ts';

const MODULE = new URL('../../src/storage/data-dir-lock.ts', import.meta.url).href;
const NEW_PID_SPACE = ['unshare', '--pid', '--fork', '--kill-child'];
const mayUnshare = spawnSync(NEW_PID_SPACE[0] ?? '', [...NEW_PID_SPACE.slice(1), 'true']).status === 0;

function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'modelgraph-lock-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A process of its own that has the folder. */
async function startHolder(folder: string, before: readonly string[] = []): Promise<ChildProcess> {
  const script = `const { lockDataDir } = await import(${JSON.stringify(MODULE)});
    await lockDataDir(${JSON.stringify(folder)}); console.log('held'); setInterval(() => {}, 1000);`;
  const [command = '', ...rest] = [...before, process.execPath, '--input-type=module', '-e', script];
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout as NonNullable<ChildProcess['stdout']>, 'data');
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

const take = async (folder: string, options?: DataDirLockOptions): Promise<DataDirLock> => {
  const lock = await lockDataDir(folder, options);
  onTestFinished(() => lock.release());
  return lock;
};
const IN_USE = { name: 'StartError', message: expect.stringContaining('is in use by the process') };

test('a data folder is taken by one process, refused to others with the holder’s number, and free after it', async () => {
  const folder = makeFolder();
  const lock = await take(folder);
  await expect(take(folder)).rejects.toMatchObject({
    ...IN_USE,
    message: expect.stringContaining(`${process.pid}`),
  });
  lock.release();
  await take(folder);
});

test('the data folder of a process that was killed is taken over at once, and nothing is left of its claim', async () => {
  const folder = makeFolder();
  const holder = await startHolder(folder);
  await expect(take(folder)).rejects.toMatchObject(IN_USE);
  await kill(holder);
  const startedAt = performance.now();
  await take(folder);
  expect(performance.now() - startedAt).toBeLessThan(5_000);
  expect(readdirSync(join(folder, 'lock'))).toHaveLength(2);
});

test.skipIf(!mayUnshare)('a data folder that a process of another container has is refused', async () => {
  const folder = makeFolder();
  const holder = await startHolder(folder, NEW_PID_SPACE);
  await expect(take(folder)).rejects.toMatchObject(IN_USE);
  await kill(holder);
  await expect
    .poll(() =>
      take(folder).then(
        () => 'taken',
        () => 'refused',
      ),
    )
    .toBe('taken');
});

test('of many processes that take over a data folder at the same moment, one gets it', async () => {
  for (let round = 0; round < 40; round += 1) {
    const folder = makeFolder();
    const stale = { ...thisProcess(), pid: 2 ** 22 + round, hasSocket: false, holds: true };
    mkdirSync(join(folder, 'lock'));
    writeFileSync(join(folder, 'lock', '0000000000000000.json'), JSON.stringify(stale));
    const takers = await Promise.allSettled(Array.from({ length: 8 }, () => take(folder)));
    expect(takers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  }
});

test('a data folder whose path is longer than a socket’s may be is locked like any other', async () => {
  const folder = join(makeFolder(), 'long'.repeat(40));
  await take(folder);
  await expect(take(folder)).rejects.toMatchObject(IN_USE);
  const files = readdirSync(join(folder, 'lock'));
  expect(files.some((file) => file.endsWith('.sock'))).toBe(process.platform === 'linux');
});

test('a holder of a data folder on the same machine is known by its number without sockets', async () => {
  const folder = makeFolder();
  const lock = await take(folder, { sockets: false });
  await expect(take(folder)).rejects.toMatchObject(IN_USE);
  lock.release();
  await take(folder, { sockets: false });
});

test('a process of another machine holds the data folder as long as it gives a sign of life', async () => {
  const folder = makeFolder();
  mkdirSync(join(folder, 'lock'));
  const claim = join(folder, 'lock', '0000000000000000.json');
  const far = { ...thisProcess(), kernel: 'another', host: 'far-away', hasSocket: true, holds: true };
  writeFileSync(claim, JSON.stringify(far));
  let seconds = 1_000_000_000;
  const signs = setInterval(() => utimesSync(claim, ++seconds, seconds), 20);
  await expect(take(folder, { silentMs: 5_000 })).rejects.toMatchObject({
    ...IN_USE,
    message: expect.stringContaining('far-away'),
  });
  clearInterval(signs);
  await take(folder, { silentMs: 100 });
});

test('a data folder that cannot be used is told in words, without a stack', async () => {
  const file = join(makeFolder(), 'file');
  writeFileSync(file, '');
  const told = { name: 'StartError', message: expect.stringContaining('it is not a folder') };
  await expect(lockDataDir(join(file, 'data'))).rejects.toMatchObject(told);
  expect(() => keepInDataDir(join(file, 'data'), 'key', () => 'text')).toThrow(expect.objectContaining(told));
});
