// Owns how a process is named so that another one, or a later one with the same number, is not taken for it.
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

export interface ProcessName {
  readonly pid: number;
  readonly host: string;
  /** When it began, as its system counts; `unknown` where there is no /proc. */
  readonly startedAt: string;
  /** The running system, from its start to its end. Containers on one machine share it. */
  readonly kernel: string;
  /** Where its number means it: each container has one of its own. */
  readonly pidSpace: string;
}

export function thisProcess(): ProcessName {
  const host = hostname();
  return {
    pid: process.pid,
    host,
    startedAt: startOf(process.pid),
    kernel: readOr(host, () => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()),
    pidSpace: readOr(host, () => readlinkSync('/proc/self/ns/pid')),
  };
}

/** Asked in the process's own pid space. */
export function isRunning({ pid, startedAt }: ProcessName): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return startOf(pid) === startedAt;
}

/** In clock ticks since the system's start. */
function startOf(pid: number): string {
  return readOr('unknown', () => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command (second field) may hold spaces; what follows its closing bracket does not.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? 'unknown';
  });
}

function readOr(otherwise: string, read: () => string): string {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
