// Owns that no fault of an adapter repeats a secret: servers echo what they were sent, and their words go into errors and logs.
import type { Adapter, ProviderTarget, StreamPart } from './contract/adapter.ts';

/** Shorter texts are no secrets, and would be found everywhere. */
const MIN_SECRET_LENGTH = 4;
const HIDDEN = '[secret]';
const MAX_CAUSES = 5;

/** The same adapter, whose faults hold neither the credential nor a header of the config. */
export function discreet(adapter: Adapter): Adapter {
  const { listModels } = adapter;
  return {
    protocol: adapter.protocol,
    simulated: adapter.simulated ?? false,
    unsupported: (request) => adapter.unsupported(request),
    stream: (request, options) => discreetStream(adapter.stream(request, options), request.target),
    check: (target, options) => adapter.check(target, options).catch(rethrowWithout(target)),
    ...(listModels
      ? {
          listModels: (target, options) =>
            listModels.call(adapter, target, options).catch(rethrowWithout(target)),
        }
      : {}),
  };
}

/** Past a generator of its own: a read costs one promise more. */
function discreetStream(
  parts: AsyncIterable<StreamPart[]>,
  target: ProviderTarget,
): AsyncIterable<StreamPart[]> {
  return {
    [Symbol.asyncIterator]() {
      const reads = parts[Symbol.asyncIterator]();
      const hide = rethrowWithout(target);
      return {
        next: () => reads.next().catch(hide),
        return: async () => (await reads.return?.()) ?? { done: true, value: undefined },
      };
    },
  };
}

function rethrowWithout({ secret, headers }: ProviderTarget): (error: unknown) => never {
  return (error) => {
    const texts = [secret, ...Object.values(headers)]
      .map((each) => each?.reveal() ?? '')
      .filter((text) => text.length >= MIN_SECRET_LENGTH);
    let fault = error;
    for (let depth = 0; fault instanceof Error && depth < MAX_CAUSES; depth += 1) {
      if (texts.some((text) => fault instanceof Error && `${fault.stack}${fault.message}`.includes(text))) {
        hideIn(fault, texts);
      }
      fault = fault.cause;
    }
    throw error;
  };
}

function hideIn(error: Error, texts: readonly string[]): void {
  for (const text of texts) {
    error.message = error.message.replaceAll(text, HIDDEN);
    if (error.stack !== undefined) error.stack = error.stack.replaceAll(text, HIDDEN);
  }
}
