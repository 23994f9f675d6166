// Owns the contract of a door: what the server asks of each way in (its routes, its words for a refusal), and what it gives to all of them.
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { Logger } from '../../kernel/logger.ts';
import type { IntakeBudget } from './intake-budget.ts';
import type { SpellRefusal } from './refusal.ts';
import type { SignInDesk } from './sign-in.ts';

/** What every door has in common with the others. */
export interface DoorSupplies {
  readonly desk: SignInDesk;
  /** What the node may hold of unfinished requests, over all doors. */
  readonly budget: IntakeBudget;
  /** Aborted when the node goes away: open streams end, and new ones are refused with `NODE_DRAINING`. */
  readonly closing: AbortSignal;
  readonly maxBodyBytes: number;
  /** How long a client of a stream may leave unread what it was sent. */
  readonly slowReaderMs: number;
  readonly logger: Logger;
}

export interface Door {
  /** As in "there is nothing at /x; the graph is at /graphql". */
  readonly name: string;
  /** Each request to one of them, or below it, is refused in this door's words, also where it has no such route. The first is where the door is. */
  readonly paths: readonly [string, ...string[]];
  /** Where what is, by name: shown at `/`. */
  readonly addresses: Readonly<Record<string, string>>;
  /** How this door spells a refusal that the server makes: a bad credential, a body that is no JSON, a node that shuts down. */
  readonly spell: SpellRefusal;
  /** Called on the whole server before any door has a route: for pages that answer ahead of them, and that no page of another origin may read. */
  registerPages?(server: FastifyInstance): void;
  /** Called once: adds the door's routes, whose hooks hold for this door alone. Faults that a route raises are refused in the door's words. */
  open(routes: FastifyInstance, supplies: DoorSupplies): Promise<OpenedDoor> | OpenedDoor;
}

export interface OpenedDoor {
  /** Where connections are upgraded to another protocol, and what takes them. */
  readonly upgrade?: { readonly path: string; readonly accept: AcceptUpgrade };
  /** Sends the clients of open streams elsewhere, beyond what `closing` tells; called once or twice. Requests under way are still answered. */
  detachReaders?(): Promise<void>;
  /** Called when no request is under way any more. */
  close?(): Promise<void>;
}

/** The door owns the socket from here on. */
export type AcceptUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
