// Owns `npm run bench`: measures the gateway beside a bare proxy, a bare graph and Portkey's gateway, in alternating rounds, and gives a table and JSON.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import pg from 'pg';
import type { Job, Measured } from './load.ts';
import {
  cpuSeconds,
  KEY,
  residentMiB,
  type Server,
  startBareGraph,
  startGateway,
  startPortkey,
  startProxy,
  startUpstream,
} from './servers.ts';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'string', default: 'bench/results/latest.json' },
    'no-portkey': { type: 'boolean', default: false },
  },
});
const seconds = Number(options.seconds);
const rounds = Number(options.rounds);

interface Peer {
  readonly server: Server;
  readonly job: Pick<Job, 'peer' | 'url' | 'key' | 'headers'>;
}

const databaseUrl = process.env.BENCH_DATABASE_URL;
const redisUrl = process.env.BENCH_REDIS_URL;

/** The figures of each measure by peer, one for each round. */
const figures = new Map<string, Map<string, number[]>>();
const servers: Server[] = [];

function note(measure: string, peer: string, value: number): void {
  const byPeer = figures.get(measure) ?? new Map<string, number[]>();
  byPeer.set(peer, [...(byPeer.get(peer) ?? []), value]);
  figures.set(measure, byPeer);
}

/** `onWarm` is called when the server has warmed up and measuring begins. */
async function load(job: Job, onWarm = () => {}): Promise<Measured> {
  const child = spawn(process.execPath, ['bench/load.ts', JSON.stringify(job)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
    if (text.startsWith('warm\n')) {
      text = text.slice('warm\n'.length);
      onWarm();
    }
  });
  const code = await new Promise((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error(`The load ${job.kind} on ${job.url} ended with ${code}`);
  return JSON.parse(text) as Measured;
}

async function measureRound(peers: readonly Peer[]): Promise<void> {
  for (const { server, job } of peers) {
    let before = 0;
    const done = await load({ ...job, kind: 'complete', concurrency: 64, seconds }, () => {
      before = cpuSeconds(server);
    });
    note('completions/s', server.name, done.operations / done.seconds);
    note('CPU ms per completion', server.name, ((cpuSeconds(server) - before) * 1000) / done.operations);
  }
  for (const { server, job } of peers) {
    const done = await load({ ...job, kind: 'stream', concurrency: 50, seconds });
    note('streamed tokens/s', server.name, done.tokens / done.seconds);
  }
  for (const { server, job } of peers) {
    const done = await load({ ...job, kind: 'first-token', concurrency: 1, seconds: Math.min(seconds, 3) });
    note('first token ms, median', server.name, done.medianMs);
    note('first token ms, p99', server.name, done.p99Ms);
  }
}

async function measureReads({ server, job }: Peer): Promise<void> {
  const one =
    'query { modelSpec(canonicalId: "openai/gpt-4.1") { id displayName contextLength price { input output } } }';
  const page =
    'query { modelSpecs(first: 100) { nodes { id canonicalId displayName contextLength capabilities } pageInfo { hasNextPage endCursor } } }';
  for (const [name, query] of [
    ['model by id, reads/s', one],
    ['page of 100 models, reads/s', page],
  ] as const) {
    const done = await load({ ...job, kind: 'query', query, concurrency: 16, seconds: Math.min(seconds, 3) });
    note(name, server.name, done.operations / done.seconds);
  }
  const { times } = JSON.parse(
    execFileSync(process.execPath, ['bench/snapshot-load.ts'], { encoding: 'utf8' }),
  ) as { times: number[] };
  note('catalogue load ms', server.name, median(times));
  const { measurePlanning } = await import('./planning.ts');
  const { medianMicroseconds, p95Microseconds } = measurePlanning();
  note('plan of 200 instances µs, median', server.name, medianMicroseconds);
  note('plan of 200 instances µs, p95', server.name, p95Microseconds);
}

async function measureIdle({ server, job }: Peer): Promise<void> {
  const count = 1000;
  const before = residentMiB(server);
  const child = spawn(
    process.execPath,
    [
      'bench/load.ts',
      JSON.stringify({ ...job, kind: 'idle', concurrency: 1, seconds: 0, count } satisfies Job),
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  await new Promise((resolve) => child.stdout.once('data', resolve));
  note('MiB per 1,000 idle subscriptions', server.name, residentMiB(server) - before);
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.stdin.write('close\n');
  await exited;
  note('MiB kept after closing them', server.name, residentMiB(server) - before);
}

/** Opens two hundred streams at once, and measures how much of their memory is released afterwards. */
async function measureStreaming({ server, job }: Peer): Promise<void> {
  const before = residentMiB(server);
  let most = before;
  const watch = setInterval(() => {
    most = Math.max(most, residentMiB(server));
  }, 100);
  await load({ ...job, kind: 'stream', concurrency: 200, seconds: Math.min(seconds, 3) });
  clearInterval(watch);
  note('MiB for 200 streams at once', server.name, most - before);
}

/** The time that a run waits for other parts than the provider: one commit, one round trip. */
async function measureRoundTrips(): Promise<void> {
  const times = async (work: () => Promise<unknown>) => {
    const took: number[] = [];
    for (let round = 0; round < 300; round += 1) {
      const begun = performance.now();
      await work();
      took.push(performance.now() - begun);
    }
    return median(took);
  };
  if (databaseUrl) {
    const client = new pg.Client({ connectionString: databaseUrl });
    await client.connect();
    await client.query('create table if not exists bench_commit (id int)');
    note(
      'one commit ms, median',
      'modelgraph',
      await times(() => client.query('insert into bench_commit values (1)')),
    );
    await client.end();
  }
  if (redisUrl) {
    const redis = new Redis(redisUrl);
    note('one Redis round trip ms, median', 'modelgraph', await times(() => redis.ping()));
    redis.disconnect();
  }
}

/** The same gateway without holds, charges and limits: the difference is what these add to the time to the first token. */
async function startPlain(upstream: Server): Promise<Peer> {
  const server = await startGateway(upstream, {
    name: 'BILLING=off',
    databaseUrl: databaseUrl && (await freshDatabase(databaseUrl)),
    redisUrl,
    charging: false,
  });
  servers.push(server);
  const job = { peer: 'graph', url: server.url, key: KEY, headers: {} } as const;
  // Warms this gateway up as far as the other one, which handles more than first tokens.
  await load({ ...job, kind: 'complete', concurrency: 64, seconds: 1 });
  await load({ ...job, kind: 'stream', concurrency: 50, seconds: 1 });
  return { server, job };
}

async function freshDatabase(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('drop database if exists modelgraph_bench_plain with (force)');
  await client.query('create database modelgraph_bench_plain');
  await client.end();
  return Object.assign(new URL(url), { pathname: '/modelgraph_bench_plain' }).href;
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

function printTable(names: readonly string[]): void {
  const rows = [...figures].map(([measure, byPeer]) => {
    const value = (name: string) => (byPeer.has(name) ? median(byPeer.get(name) ?? []) : undefined);
    const [ours, portkey] = [value('modelgraph'), value('Portkey')];
    const ratio = ours !== undefined && portkey ? `${(ours / portkey).toFixed(2)}x` : '';
    return [measure, ...names.map((name) => shown(value(name))), ratio];
  });
  const table = [['', ...names, 'to Portkey'], ...rows];
  const widths =
    table[0]?.map((_cell, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? [];
  for (const row of table)
    console.log(
      row
        .map((cell, n) => (n === 0 ? cell.padEnd(widths[n] ?? 0) : cell.padStart(widths[n] ?? 0)))
        .join('  '),
    );
}

function shown(value: number | undefined): string {
  if (value === undefined) return '-';
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(2);
}

try {
  const upstream = await startUpstream();
  servers.push(upstream);
  const gateway = await startGateway(upstream, { name: 'modelgraph', databaseUrl, redisUrl, charging: true });
  servers.push(gateway);
  const proxy = await startProxy(upstream);
  servers.push(proxy);
  const bare = await startBareGraph(upstream);
  servers.push(bare);
  const portkey = options['no-portkey'] ? undefined : await startPortkey();
  if (portkey) servers.push(portkey);
  const chat = (server: Server, headers: Record<string, string> = {}): Peer => ({
    server,
    job: { peer: 'chat', url: server.url, key: 'sk-bench', headers },
  });
  const ours: Peer = { server: gateway, job: { peer: 'graph', url: gateway.url, key: KEY, headers: {} } };
  const peers: readonly Peer[] = [
    ours,
    chat(proxy),
    { server: bare, job: { peer: 'graph', url: bare.url, key: '', headers: {} } },
    ...(portkey
      ? [chat(portkey, { 'x-portkey-provider': 'openai', 'x-portkey-custom-host': `${upstream.url}/v1` })]
      : []),
  ];
  const plain = await startPlain(upstream);
  await measureIdle(ours);
  await measureStreaming(ours);
  await measureRoundTrips();
  for (let round = 1; round <= rounds; round += 1) {
    console.error(`round ${round} of ${rounds}`);
    await measureRound(peers);
    const direct = await load({
      ...chat(upstream).job,
      kind: 'first-token',
      concurrency: 1,
      seconds: Math.min(seconds, 3),
    });
    const uncharged = await load({
      ...plain.job,
      kind: 'first-token',
      concurrency: 1,
      seconds: Math.min(seconds, 3),
    });
    note('first token ms, median', plain.server.name, uncharged.medianMs);
    note('first token ms, p99', plain.server.name, uncharged.p99Ms);
    note('first token ms, median', 'upstream', direct.medianMs);
    note('first token ms, p99', 'upstream', direct.p99Ms);
  }
  await measureReads(ours);
  const names = [
    'modelgraph',
    'BILLING=off',
    'undici proxy',
    'bare graph',
    ...(portkey ? ['Portkey'] : []),
    'upstream',
  ];
  printTable(names);
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const report = {
    at: new Date().toISOString(),
    commit,
    node: process.version,
    cores: cpus().length,
    cpu: cpus()[0]?.model,
    seconds,
    rounds,
    database: process.env.BENCH_DATABASE_URL ? 'postgresql' : 'embedded',
    figures: Object.fromEntries(
      [...figures].map(([measure, byPeer]) => [measure, Object.fromEntries(byPeer)]),
    ),
  };
  mkdirSync(dirname(options.json), { recursive: true });
  writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`);
  console.log(`\nWritten to ${options.json}`);
} finally {
  await Promise.all(servers.map((server) => server.close()));
}
