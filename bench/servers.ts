// Owns the processes under test: the fake upstream, the gateway on a fresh folder, the bare proxy, the bare graph, and Portkey's gateway.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const KEY = 'mg_bench_0123456789abcdef';
const PORTKEY = '@portkey-ai/gateway@1.15.2';

export interface Server {
  readonly name: string;
  readonly url: string;
  readonly pid: number;
  close(): Promise<void>;
}

export async function startUpstream(): Promise<Server> {
  return startPrinting('upstream', 'bench/fake-upstream.ts', {});
}

export async function startProxy(upstream: Server): Promise<Server> {
  return startPrinting('undici proxy', 'bench/peers/undici-proxy.ts', { UPSTREAM: upstream.url });
}

export async function startBareGraph(upstream: Server): Promise<Server> {
  const environment = { UPSTREAM: upstream.url, NODE_ENV: 'production' };
  return startPrinting('bare graph', 'bench/peers/bare-graph.ts', environment);
}

export interface GatewayOptions {
  readonly name: string;
  readonly databaseUrl: string | undefined;
  readonly redisUrl: string | undefined;
  /** True: completions have holds and charges, and count against limits that are never reached. */
  readonly charging: boolean;
}

/** The young generation is larger than Node's default, so that most objects of a completion are collected before they are copied. */
const AS_BY_NPM_START = ['--max-semi-space-size=32', '--enable-source-maps'];
/** Higher than any load reaches, so that the counting is measured and nothing is refused. */
const OUT_OF_REACH = '1000000000';

/** Uses the embedded database and in-process state, unless other ones are given. */
export async function startGateway(
  upstream: Server,
  { name, databaseUrl, redisUrl, charging }: GatewayOptions,
): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'modelgraph-bench-'));
  const port = await freePort();
  const child = spawn(process.execPath, [...AS_BY_NPM_START, 'dist/src/main.js'], {
    env: {
      PATH: process.env.PATH,
      PORT: String(port),
      DATA_DIR: folder,
      NODE_ENV: 'production',
      LOG_LEVEL: 'warn',
      PRIVATE_UPSTREAMS: 'allow',
      HEALTH_CHECK_SECONDS: '0',
      MODEL_SYNC_HOURS: '0',
      CATALOGUE_REFRESH: 'off',
      BOOTSTRAP_API_KEY: KEY,
      SECRET_KEYS: `bench:${Buffer.alloc(32, 1).toString('base64')}`,
      BILLING: charging ? 'on' : 'off',
      REQUESTS_PER_MINUTE: charging ? OUT_OF_REACH : '0',
      OPENAI_API_KEY: 'sk-bench',
      OPENAI_BASE_URL: `${upstream.url}/v1`,
      ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl }),
      ...(redisUrl === undefined ? {} : { REDIS_URL: redisUrl }),
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const url = `http://127.0.0.1:${port}`;
  await answering(`${url}/health/ready`);
  if (charging) await credit(url);
  return serverOf(name, url, child, () => rmSync(folder, { recursive: true, force: true }));
}

async function credit(url: string): Promise<void> {
  const query =
    'mutation { creditAccount(input: {amount: "1000000", description: "Bench", idempotencyKey: "bench"}) { entry { id } } }';
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${KEY}` },
    body: JSON.stringify({ query }),
  });
  const text = await response.text();
  if (!text.includes('"entry":{')) throw new Error(`The account could not be credited: ${text}`);
}

/** `undefined` if it cannot be installed. */
export async function startPortkey(): Promise<Server | undefined> {
  const folder = join(tmpdir(), 'modelgraph-bench-portkey');
  const main = join(folder, 'node_modules/@portkey-ai/gateway/build/start-server.js');
  try {
    if (!existsSync(main)) {
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'package.json'), '{"private":true}');
      execFileSync('npm', ['install', '--no-audit', '--no-fund', PORTKEY], { cwd: folder, stdio: 'ignore' });
    }
  } catch (error) {
    console.error(`Portkey could not be installed: ${(error as Error).message}`);
    return undefined;
  }
  const port = await freePort();
  const preload = new URL('./peers/portkey-fetch.mjs', import.meta.url).href;
  const child = spawn(process.execPath, ['--import', preload, main, '--headless', `--port=${port}`], {
    cwd: folder,
    env: { PATH: process.env.PATH, NODE_ENV: 'production', TRUSTED_CUSTOM_HOSTS: '127.0.0.1,localhost' },
    stdio: 'ignore',
  });
  const url = `http://127.0.0.1:${port}`;
  await answering(url);
  return serverOf('Portkey', url, child);
}

/** CPU seconds that a process has used, user and system. */
export function cpuSeconds({ pid }: Server): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Resident memory in MiB. */
export function residentMiB({ pid }: Server): number {
  const [, kilobytes = '0'] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1024;
}

async function startPrinting(
  name: string,
  file: string,
  environment: Record<string, string>,
): Promise<Server> {
  const child = spawn(process.execPath, [file], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout?.once('data', (text) => resolve(String(text)));
    child.once('exit', (code) => reject(new Error(`${file} ended with ${code}`)));
  });
  return serverOf(name, `http://127.0.0.1:${(JSON.parse(line) as { port: number }).port}`, child);
}

function serverOf(name: string, url: string, child: ChildProcess, cleanUp = () => {}): Server {
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    name,
    url,
    pid: child.pid ?? 0,
    async close() {
      child.kill('SIGKILL');
      await exited;
      cleanUp();
    },
  };
}

async function answering(url: string): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    const status = await fetch(url).then(
      (response) => response.status,
      () => 0,
    );
    if (status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${url} does not answer`);
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
