// Owns the contract of a door: what the server needs of it (its routes, the form of its refusals), and what the server gives to every door.
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { Logger } from '../../kernel/logger.ts';
import type { IntakeBudget } from './intake-budget.ts';
import type { SpellRefusal } from './refusal.ts';
import type { SignInDesk } from './sign-in.ts';

/** The parts that all doors share. */
export interface DoorSupplies {
  readonly desk: SignInDesk;
  /** Bound on the unfinished requests that the node holds, over all doors. */
  readonly budget: IntakeBudget;
  /** Aborted when the node shuts down: open streams end, and new ones are refused with `NODE_DRAINING`. */
  readonly closing: AbortSignal;
  readonly maxBodyBytes: number;
  /** How long, in milliseconds, a client of a stream may leave sent data unread. */
  readonly slowReaderMs: number;
  readonly logger: Logger;
}

export interface Door {
  /** The door's name as it stands in "there is nothing at /x; the graph is at /graphql". */
  readonly name: string;
  /**
   * Paths of the door. A request to one of them or below is refused in this door's form, even if there is no route for it. The first is the door's main
   * address.
   */
  readonly paths: readonly [string, ...string[]];
  /** Addresses of the door by name, shown at `/`. */
  readonly addresses: Readonly<Record<string, string>>;
  /** The form that this door gives to a refusal by the server: a bad credential, a body that is not JSON, a node that shuts down. */
  readonly spell: SpellRefusal;
  /** Called before any door adds routes: for pages that must answer before those routes, and that pages of other origins may not read. */
  registerPages?(server: FastifyInstance): void;
  /** Called once: adds the door's routes, whose hooks hold for this door only. Errors that a route raises are refused in the door's form. */
  open(routes: FastifyInstance, supplies: DoorSupplies): Promise<OpenedDoor> | OpenedDoor;
}

export interface OpenedDoor {
  /** The path at which connections are upgraded to another protocol, and the function that accepts them. */
  readonly upgrade?: { readonly path: string; readonly accept: AcceptUpgrade };
  /** Tells clients of open streams to reconnect elsewhere, in addition to the signal `closing`; may be called twice. Requests under way are still answered. */
  detachReaders?(): Promise<void>;
  /** Called when no request is under way any more. */
  close?(): Promise<void>;
}

/** The door owns the socket from here on. */
export type AcceptUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
