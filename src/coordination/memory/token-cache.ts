// Owns provider tokens within one process: each is fetched once for all callers that wait for it, and a failed fetch is not remembered.
import { abortable } from '../../kernel/async.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { TokenCache, TokenRequest } from '../../kernel/token-cache.ts';

interface IssuedToken {
  readonly token: string;
  readonly expiresAtMs: number;
}

/** A fetch under way. It is aborted when its last waiting caller has left. */
interface Flight {
  readonly result: Promise<IssuedToken>;
  readonly abandon: AbortController;
  waiting: number;
}

export function createMemoryTokenCache({ clock }: { readonly clock: Clock }): TokenCache {
  const tokens = new Map<string, IssuedToken>();
  const flights = new Map<string, Flight>();

  function startFlight(key: string, { fetch }: TokenRequest): Flight {
    const abandon = new AbortController();
    const flight: Flight = { result: fetch(abandon.signal), abandon, waiting: 0 };
    flights.set(key, flight);
    const land = () => {
      if (flights.get(key) === flight) flights.delete(key);
    };
    flight.result.then((issued) => {
      // An abandoned fetch may still succeed, after a newer one.
      if (!abandon.signal.aborted) keep(key, issued);
      land();
    }, land);
    return flight;
  }

  function keep(key: string, issued: IssuedToken): void {
    const nowMs = clock.now().getTime();
    for (const [other, { expiresAtMs }] of tokens) if (expiresAtMs <= nowMs) tokens.delete(other);
    tokens.set(key, issued);
  }

  return {
    async get(key, request) {
      request.signal.throwIfAborted();
      const known = tokens.get(key);
      if (known && isAlive(known, request, clock)) return known.token;
      if (known?.token === request.rejected) tokens.delete(key);
      const flight = flights.get(key) ?? startFlight(key, request);
      flight.waiting += 1;
      try {
        return (await abortable(flight.result, request.signal)).token;
      } finally {
        flight.waiting -= 1;
        if (flight.waiting === 0 && request.signal.aborted) {
          if (flights.get(key) === flight) flights.delete(key);
          flight.abandon.abort(request.signal.reason);
        }
      }
    },
  };
}

function isAlive(
  { token, expiresAtMs }: IssuedToken,
  { minLifeMs, rejected }: TokenRequest,
  clock: Clock,
): boolean {
  return token !== rejected && expiresAtMs - clock.now().getTime() > minLifeMs;
}
