// Owns the gateway as a process of its own, as `npm start` runs it, so that a test can kill it.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

export const SERVER_KEY = 'mg_test_0123456789abcdef';

export interface ServerProcess {
  readonly url: string;
  readonly child: ChildProcess;
  /** Everything it has written. */
  output(): string;
  graph(query: string, variables?: Record<string, unknown>): Promise<any>;
  /** Ends it, and gives the exit code. */
  stop(signal: NodeJS.Signals): Promise<number | null>;
}

/** Compiles the gateway if it is not compiled yet; call it in `beforeAll`. */
export function buildServer(): void {
  execFileSync('node', ['.config/build.ts'], { stdio: 'inherit' });
}

export async function startServerProcess(environment: Record<string, string>): Promise<ServerProcess> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(process.execPath, ['dist/src/main.js'], {
    env: {
      PATH: process.env.PATH,
      NODE_ENV: 'test',
      LOG_LEVEL: 'info',
      BOOTSTRAP_API_KEY: SERVER_KEY,
      // Tests call neither the public lists nor providers unasked.
      CATALOGUE_REFRESH: 'off',
      MODEL_SYNC_HOURS: '0',
      HEALTH_CHECK_SECONDS: '0',
      ...environment,
      HOST: '127.0.0.1',
      PORT: String(port),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const ready = new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      output += chunk;
      if (output.includes('Modelgraph is running')) resolve();
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.once('exit', (code) => reject(new Error(`The server ended with ${code}:\n${output}`)));
  });
  await ready;
  return {
    url,
    child,
    output: () => output,
    async graph(query, variables = {}) {
      const response = await fetch(`${url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${SERVER_KEY}` },
        body: JSON.stringify({ query, variables }),
      });
      return response.json();
    },
    async stop(signal) {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      const exited = once(child, 'exit');
      child.kill(signal);
      return (await exited)[0];
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
