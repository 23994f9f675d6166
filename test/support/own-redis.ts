// Owns a Redis that belongs to one test alone, so that it can be filled up or made read-only.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { Redis } from 'ioredis';

export interface OwnRedis extends AsyncDisposable {
  readonly url: string;
  /** Fills it, so that it answers but takes no more writes. */
  stopWrites(how: 'full' | 'read-only'): Promise<void>;
  takeWrites(): Promise<void>;
}

/** False where no `redis-server` is installed. */
export const ownRedisUsable = () => usable;

const usable = spawnSync('redis-server', ['--version']).status === 0;

export async function startOwnRedis(): Promise<OwnRedis> {
  const port = await freePort();
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const child = spawn('redis-server', settings, { stdio: 'ignore' });
  const url = `redis://127.0.0.1:${port}`;
  const redis = new Redis(url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
  redis.on('error', () => {});
  await redis.ping();
  return {
    url,
    async stopWrites(how) {
      if (how === 'full') await redis.config('SET', 'maxmemory', '1');
      else await redis.replicaof('127.0.0.1', 9);
    },
    async takeWrites() {
      await redis.config('SET', 'maxmemory', '0');
      await redis.replicaof('NO', 'ONE');
    },
    async [Symbol.asyncDispose]() {
      redis.disconnect();
      await end(child);
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
