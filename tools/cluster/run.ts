// Owns `npm run cluster`: two gateways on one PostgreSQL and one Redis behind a round-robin proxy, for trying and testing. Ctrl-C ends it.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { loadEnvironmentFile } from '../../dist/src/configuration/environment.js';
import { startRoundRobin } from '../../test/support/round-robin.ts';
import { startServerProcess } from '../../test/support/server-process.ts';

loadEnvironmentFile();
const { DATABASE_URL, REDIS_URL, PORT = '4000', NODES = '2', BOOTSTRAP_API_KEY, SECRET_KEYS } = process.env;
if (!DATABASE_URL || !REDIS_URL) {
  console.error('Set DATABASE_URL and REDIS_URL: the nodes share both.');
  process.exit(1);
}
const key = BOOTSTRAP_API_KEY ?? `mg_${randomBytes(24).toString('base64url')}`;
const environment = {
  ...(process.env as Record<string, string>),
  NODE_ENV: process.env.NODE_ENV ?? 'development',
  BOOTSTRAP_API_KEY: key,
  SECRET_KEYS: SECRET_KEYS ?? `cluster:${randomBytes(32).toString('base64')}`,
};
const nodes = await Promise.all(Array.from({ length: Number(NODES) }, () => startServerProcess(environment)));
const proxy = await startRoundRobin(
  nodes.map(({ url }) => Number(new URL(url).port)),
  Number(PORT),
);
console.log(`
  ${nodes.length} gateways behind ${proxy.url}/graphql, connection by connection in turn.

${nodes.map(({ url, child }) => `  Node       ${url}   (process ${child.pid}; kill it and see)`).join('\n')}
  API key    ${key}
`);
await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
await Promise.all(nodes.map((node) => node.stop('SIGTERM')));
await proxy.close();
