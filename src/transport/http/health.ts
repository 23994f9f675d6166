// Owns the health checks for load balancers: whether the process lives, and whether it can take work, with the reason if it cannot.
import type { FastifyInstance } from 'fastify';

export interface Readiness {
  /** The obstacles by name, each with its reason; empty if the node is ready. */
  check(): Promise<Readonly<Record<string, string>>>;
}

export function registerHealth(server: FastifyInstance, readiness: Readiness): void {
  server.get('/health/live', async () => ({ status: 'live' }));
  server.get('/health/ready', async (_request, reply) => {
    const problems = await readiness.check();
    const ready = Object.keys(problems).length === 0;
    return reply
      .code(ready ? 200 : 503)
      .send(ready ? { status: 'ready' } : { status: 'not ready', problems });
  });
}
