// Owns the rules for every adapter's output: beside the content no text repeats a secret, and a list of models is not longer than the gateway accepts.
import type { Adapter, CompletionAdapter } from './contract/adapter.ts';
import { type Completions, type StreamPart, TEXTS_BESIDE_CONTENT } from './contract/completions.ts';
import type { ListedModel } from './contract/models.ts';
import type { ProviderTarget } from './contract/target.ts';
import { secretTextsOf, withoutSecrets } from './secret-texts.ts';
import { checkListLength } from './shared/model-list.ts';

const MAX_CAUSES = 5;

/** The same adapter; its errors and records hold neither the credential or a part of it, nor a header of the config, nor an issued token. */
export function discreet(adapter: CompletionAdapter, issuedTokens?: Iterable<string>): CompletionAdapter;
export function discreet(adapter: Adapter, issuedTokens?: Iterable<string>): Adapter;
export function discreet(adapter: Adapter, issuedTokens: Iterable<string> = []): Adapter {
  const { completions, models, health } = adapter;
  const secretsOf = (target: ProviderTarget) => secretTextsOf(target, issuedTokens);
  return {
    protocol: adapter.protocol,
    simulated: adapter.simulated ?? false,
    ...(completions ? { completions: discreetCompletions(completions, secretsOf) } : {}),
    ...(models
      ? {
          models: {
            list: (target, options) =>
              models.list(target, options).then(
                ofTakenLength,
                rethrowWithout(() => secretsOf(target)),
              ),
          },
        }
      : {}),
    health: {
      check: (target, options) =>
        health.check(target, options).catch(rethrowWithout(() => secretsOf(target))),
    },
    ...(adapter.faultsOfQuirks ? { faultsOfQuirks: (quirks) => adapter.faultsOfQuirks?.(quirks) ?? [] } : {}),
  };
}

function discreetCompletions(
  completions: Completions,
  secretsOf: (target: ProviderTarget) => readonly string[],
): Completions {
  return {
    optionRules: completions.optionRules,
    unsupported: (request) => completions.unsupported(request),
    stream: (request, options) => {
      // Looked up once, after the first read, because the token of this call is known only then.
      let known: readonly string[] | undefined;
      const secrets = () => {
        known ??= secretsOf(request.target);
        return known;
      };
      return discreetStream(completions.stream(request, options), secrets);
    },
  };
}

function rethrowWithout(secrets: () => readonly string[]): (error: unknown) => never {
  return (error) => {
    hideInError(error, secrets());
    throw error;
  };
}

/** Written without a generator of its own, which would cost one more promise for each read. */
function discreetStream(
  parts: AsyncIterable<StreamPart[]>,
  secrets: () => readonly string[],
): AsyncIterable<StreamPart[]> {
  return {
    [Symbol.asyncIterator]() {
      const reads = parts[Symbol.asyncIterator]();
      const hideInRead = (read: IteratorResult<StreamPart[]>) => {
        if (!read.done) hideInParts(read.value, secrets);
        return read;
      };
      return {
        next: () => reads.next().then(hideInRead, rethrowWithout(secrets)),
        return: async () => (await reads.return?.()) ?? { done: true, value: undefined },
      };
    },
  };
}

function ofTakenLength(models: ListedModel[]): ListedModel[] {
  checkListLength(models.length);
  return models;
}

/** Secrets are looked up only if there is text to search. */
function hideInParts(parts: StreamPart[], secrets: () => readonly string[]): void {
  for (let at = 0; at < parts.length; at += 1) {
    const part = parts[at] as StreamPart;
    const names = TEXTS_BESIDE_CONTENT[part.type] as readonly (keyof StreamPart)[];
    if (names.length > 0) parts[at] = without(part, names, secrets());
  }
}

function without<Part extends StreamPart, Name extends keyof Part>(
  part: Part,
  names: readonly Name[],
  secrets: readonly string[],
): Part {
  let clean = part;
  for (const name of names) {
    const text = part[name];
    if (typeof text !== 'string') continue;
    const hidden = withoutSecrets(text, secrets);
    if (hidden !== text) clean = { ...clean, [name]: hidden };
  }
  return clean;
}

/** Removes the secrets from every text of the error and of its causes: message, stack, and fields such as the provider's own code. */
function hideInError(error: unknown, secrets: readonly string[]): void {
  let fault = error;
  for (let depth = 0; fault instanceof Error && depth < MAX_CAUSES; depth += 1) {
    for (const name of Object.getOwnPropertyNames(fault)) {
      const text: unknown = Reflect.get(fault, name);
      if (typeof text !== 'string') continue;
      const hidden = withoutSecrets(text, secrets);
      if (hidden !== text) Reflect.set(fault, name, hidden);
    }
    fault = fault.cause;
  }
}
