// Owns the one pub/sub connection of a node: all channels share it, and all are subscribed again after each new connection.
import type { Redis } from 'ioredis';
import type { Logger } from '../../kernel/logger.ts';
import type { RunBus } from '../contract.ts';
import type { RedisLink } from './link.ts';

export interface RedisBusOptions {
  readonly link: RedisLink;
  readonly logger: Logger;
  readonly prefix?: string;
}

const PREFIX = 'mg:';
const CANCEL = 'cancel';

export class RedisBus implements RunBus {
  readonly #link: RedisLink;
  readonly #prefix: string;
  readonly #subscriber: Redis;
  readonly #channels = new Map<string, Set<(text: string) => void>>();
  readonly #onReady = new Set<() => void>();
  #ready = false;

  constructor({ link, logger, prefix = PREFIX }: RedisBusOptions) {
    this.#link = link;
    this.#prefix = prefix;
    this.#subscriber = link.duplicate();
    this.#subscriber.on('message', (channel: string, text: string) => {
      for (const hear of this.#channels.get(channel) ?? []) hear(text);
    });
    this.#subscriber.on('close', () => {
      this.#ready = false;
    });
    this.#subscriber.on('ready', () => {
      this.#subscribeAll().catch((error: unknown) =>
        logger.debug({ err: error }, 'Channels could not be subscribed'),
      );
    });
  }

  /** The name of the channel in Redis. */
  nameOf(channel: string): string {
    return this.#prefix + channel;
  }

  /** Sends without waiting for Redis. */
  publish(channel: string, text: string): void {
    this.#link.behind((redis) => redis.publish(this.nameOf(channel), text)).catch(() => {});
  }

  listen(channel: string, hear: (text: string) => void): () => void {
    const name = this.nameOf(channel);
    const hearers = this.#channels.get(name) ?? new Set();
    hearers.add(hear);
    if (!this.#channels.has(name)) {
      this.#channels.set(name, hearers);
      if (this.#ready) this.#subscriber.subscribe(name).catch(() => {});
    }
    return () => hearers.delete(hear);
  }

  /** Called each time that the subscriptions stand again: messages that were sent between are lost. */
  onReady(tell: () => void): () => void {
    this.#onReady.add(tell);
    if (this.#ready) tell();
    return () => this.#onReady.delete(tell);
  }

  cancel(runId: string): void {
    this.publish(CANCEL, runId);
  }

  onCancel(hear: (runId: string) => void): () => void {
    return this.listen(CANCEL, hear);
  }

  async close(): Promise<void> {
    this.#channels.clear();
    this.#onReady.clear();
    this.#subscriber.disconnect();
  }

  async #subscribeAll(): Promise<void> {
    const names = [...this.#channels.keys()];
    if (names.length > 0) await this.#subscriber.subscribe(...names);
    this.#ready = true;
    for (const tell of this.#onReady) tell();
  }
}
