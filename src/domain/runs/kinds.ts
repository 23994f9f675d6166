// Owns the kinds of call of this gateway, found by name or by the types of their events.
import { GatewayError } from '../../kernel/errors.ts';
import type { Kind } from './kind.ts';
import { type ContentEvent, ENGINE_EVENT_TYPES } from './run-event.ts';

export class Kinds {
  readonly #byName = new Map<string, Kind>();
  readonly #byEventType = new Map<string, Kind>();

  constructor(kinds: readonly Kind[]) {
    for (const kind of kinds) {
      if (this.#byName.has(kind.name)) throw new Error(`Two kinds of call have the name "${kind.name}"`);
      this.#byName.set(kind.name, kind);
      for (const type of kind.eventTypes) {
        if (this.#byEventType.has(type) || (ENGINE_EVENT_TYPES as readonly string[]).includes(type)) {
          throw new Error(`The kind "${kind.name}" has an event type of another's: "${type}"`);
        }
        this.#byEventType.set(type, kind);
      }
    }
  }

  /** Raises `INTERNAL` for a kind that this node does not know, which a newer version of the gateway may have written. */
  get(name: string): Kind {
    const kind = this.#byName.get(name);
    if (!kind) throw new GatewayError('INTERNAL', `This node does not know the kind of run "${name}"`);
    return kind;
  }

  /** The kind that made an event; `undefined` if this node does not know its type. */
  ofEvent({ type }: ContentEvent): Kind | undefined {
    return this.#byEventType.get(type);
  }

  /** The modalities that the kinds ask of models. */
  get outputs(): readonly string[] {
    return [...new Set([...this.#byName.values()].map(({ output }) => output))];
  }
}
