// Owns the client's connection over server-sent events: one POST for each subscription, with a `Last-Event-ID` that names the last event seen.
import { type CompletionEventFragment, DOCUMENTS } from './__generated__/documents.ts';
import { ConnectionLost, errorOf, ModelgraphError } from './client-error.ts';
import { type OpenDoor, SILENCE_MS, type Subscription } from './door.ts';
import { Watchdog } from './watchdog.ts';

export interface SseDoorOptions {
  /** The endpoint, e.g. `https://gateway.example/graphql`; streams are at `/stream` below it. */
  readonly url: string;
  readonly key: string;
  readonly fetch?: typeof globalThis.fetch;
  readonly silenceMs?: number;
}

const BLOCK_END = '\n\n';

export function openSseDoor(options: SseDoorOptions): OpenDoor {
  const { silenceMs = SILENCE_MS } = options;
  return async function* open(subscription, signal) {
    // Aborted when the caller leaves the loop, since that must end the request too.
    const left = new AbortController();
    const watchdog = new Watchdog(() =>
      left.abort(new ConnectionLost('The gateway says nothing', { isSilent: true })),
    );
    try {
      watchdog.expect(silenceMs);
      const body = await connect(options, subscription, AbortSignal.any([signal, left.signal]));
      for await (const [event, data] of blocksOf(body, () => watchdog.expect(silenceMs))) {
        if (event === 'complete') return;
        if (event !== 'next') continue;
        const result = JSON.parse(data) as { data?: Record<string, CompletionEventFragment>; errors?: [] };
        if (result.errors) throw errorOf(result.errors);
        // The client reads nothing while the caller works on the event, so that time must not count as silence of the gateway.
        watchdog.rest();
        for (const each of Object.values(result.data ?? {})) yield each;
        watchdog.expect(silenceMs);
      }
    } catch (error) {
      if (error instanceof ModelgraphError || error instanceof ConnectionLost || signal.aborted) throw error;
      throw new ConnectionLost('The connection was lost', { cause: error });
    } finally {
      watchdog.rest();
      left.abort();
    }
    throw new ConnectionLost('The gateway ended the connection before the end of the run');
  };
}

async function connect(
  { url, key, fetch = globalThis.fetch }: SseDoorOptions,
  { operationName, variables, seen }: Subscription,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  let response: Response;
  try {
    response = await fetch(`${url.replace(/\/+$/, '')}/stream`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'text/event-stream',
        authorization: `Bearer ${key}`,
        ...(seen ? { 'last-event-id': `${seen.completionId}:${seen.seq}` } : {}),
      },
      body: JSON.stringify({ query: DOCUMENTS, operationName, variables }),
      signal,
    });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ConnectionLost('The gateway could not be reached', { cause: error });
  }
  if (response.ok && response.body) return response.body;
  throw await refusalOf(response);
}

async function refusalOf(response: Response): Promise<Error> {
  const text = await response.text().catch(() => '');
  try {
    const { errors } = JSON.parse(text) as { errors?: [] };
    const error = errors && errorOf(errors);
    // With a status of 500 or more, only outages that the gateway names are its own answer; anything else may come from a proxy.
    if (error && (response.status < 500 || error instanceof ConnectionLost)) return error;
  } catch {
    // The text is not in the gateway's form: a proxy in front of it has answered.
  }
  const retryAfterMs = Number(response.headers.get('retry-after') ?? 0) * 1_000 || undefined;
  return response.status >= 500 || response.status === 429
    ? new ConnectionLost(`The gateway answered ${response.status}`, { retryAfterMs })
    : new ModelgraphError('BAD_REQUEST', `The gateway answered ${response.status}: ${text.slice(0, 200)}`);
}

/** Name and data of each event. Comments are pings, and have neither. */
async function* blocksOf(
  body: ReadableStream<Uint8Array>,
  onRead: () => void,
): AsyncGenerator<[event: string, data: string]> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  for (let read = await reader.read(); !read.done; read = await reader.read()) {
    onRead();
    rest += decoder.decode(read.value, { stream: true });
    for (let end = rest.indexOf(BLOCK_END); end >= 0; end = rest.indexOf(BLOCK_END)) {
      const block = rest.slice(0, end);
      rest = rest.slice(end + BLOCK_END.length);
      yield [fieldOf(block, 'event'), fieldOf(block, 'data')];
    }
  }
}

function fieldOf(block: string, name: string): string {
  const line = block.split('\n').find((each) => each.startsWith(`${name}:`));
  return line?.slice(name.length + 1).trimStart() ?? '';
}
