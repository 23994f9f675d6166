// Owns building before a start: compiles where a source is newer than what was built, so that a start with nothing to build costs nothing.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';

const STAMP = 'dist/.tsbuildinfo';
const SOURCES = ['src', 'migrations', 'package-lock.json', 'tsconfig.json', '.config/tsconfig.build.json'];

if (!isUpToDate())
  execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', '.config/tsconfig.build.json'], {
    stdio: 'inherit',
  });

function isUpToDate(): boolean {
  if (!existsSync(STAMP) || !existsSync('dist/src/main.js')) return false;
  const builtAt = statSync(STAMP).mtimeMs;
  return SOURCES.every((source) => newestIn(source) <= builtAt);
}

function newestIn(path: string): number {
  const { mtimeMs } = statSync(path);
  if (!statSync(path).isDirectory()) return mtimeMs;
  const entries = readdirSync(path).map((name) => newestIn(`${path}/${name}`));
  return Math.max(mtimeMs, ...entries);
}
