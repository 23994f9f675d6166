// Owns the circuit store of a node without Redis: there is no other node to tell, and one probe runs at a time.
import type { Clock } from '../../kernel/clock.ts';
import type { CircuitStore } from '../contract.ts';

export function createMemoryCircuitStore({ clock }: { readonly clock: Clock }): CircuitStore {
  const probes = new Map<string, number>();
  return {
    publish: () => {},
    follow: () => () => {},
    acquireProbe(key, forMs) {
      const now = clock.monotonicMs();
      if ((probes.get(key) ?? 0) > now) return false;
      probes.set(key, now + forMs);
      return true;
    },
    releaseProbe: (key) => void probes.delete(key),
  };
}
