// Owns a name for a process that no other process has, not even a later one with the same pid.
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

export interface ProcessName {
  readonly pid: number;
  readonly host: string;
  /** When the process began, as its system counts it; `unknown` if there is no /proc. */
  readonly startedAt: string;
  /** Identifies the running system from boot to shutdown. Containers on one machine share it. */
  readonly kernel: string;
  /** The pid namespace in which the pid is valid: each container has one of its own. */
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

/** Valid only within the process's own pid namespace. */
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
    // The command (second field) may hold spaces; the text after its closing bracket has none within a field.
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
