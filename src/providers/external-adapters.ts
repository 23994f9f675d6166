// Owns the loading of external adapters: packages or paths that the operator names in `ADAPTERS`, never ones that the database names.
import { isAbsolute, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { StartError } from '../kernel/errors.ts';
import { isJsonObject } from '../kernel/json.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Adapter, AdapterDependencies } from './contract/adapter.ts';
import type { OptionRules } from './contract/option-rules.ts';

/** What an external adapter is made with: the parts that built-in adapters get, and the gateway's logger. */
export interface AdapterHost extends AdapterDependencies {
  readonly logger: Logger;
}

/**
 * The exports of a module that `ADAPTERS` names.
 * `createAdapters` is called once, when the node starts, and gives the module's adapters; it may be asynchronous. Each adapter must have a protocol name
 * that no other adapter of the gateway has, `health.check`, and `completions` with its `optionRules`; `models` is optional. Otherwise the node does not
 * start, and its error says what is lacking.
 * Adapters run inside the gateway's process with all its rights. The gateway removes the credential from the errors and records of an external adapter
 * as it does for built-in ones.
 */
export interface AdapterModule {
  createAdapters(host: AdapterHost): readonly Adapter[] | Promise<readonly Adapter[]>;
}

/** Names of an earlier form of adapters, whose calls stood beside the protocol name, and where each of them belongs now. */
const MOVES: Readonly<Record<string, string>> = {
  optionRules: 'completions.optionRules',
  stream: 'completions.stream',
  unsupported: 'completions.unsupported',
  listModels: 'models.list',
  check: 'health.check',
};

const FORM =
  '{ protocol, completions: { optionRules, stream(request, options), unsupported(request) }, models: { list(target, options) } (optional), health: { check(target, options) } }';

/**
 * Loads the adapters of all entries, in order. `taken`: protocol names that are in use already. Raises `StartError` that names the entry and what is
 * wrong with it.
 */
export async function loadAdapters(
  entries: readonly string[],
  host: AdapterHost,
  taken: ReadonlySet<string>,
): Promise<Adapter[]> {
  const adapters: Adapter[] = [];
  const protocols = new Set(taken);
  for (const entry of entries) {
    for (const adapter of await adaptersOf(entry, host)) {
      checkAdapter(entry, adapter);
      if (protocols.has(adapter.protocol)) {
        throw fault(entry, `brings the protocol "${adapter.protocol}", which another adapter has already`);
      }
      protocols.add(adapter.protocol);
      adapters.push(adapter);
    }
  }
  return adapters;
}

async function adaptersOf(entry: string, host: AdapterHost): Promise<readonly Adapter[]> {
  const isPath = entry.startsWith('.') || isAbsolute(entry);
  const specifier = isPath ? pathToFileURL(resolve(entry)).href : entry;
  let loaded: Partial<AdapterModule>;
  try {
    loaded = (await import(specifier)) as Partial<AdapterModule>;
  } catch (error) {
    throw fault(entry, `could not be loaded: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof loaded.createAdapters !== 'function') throw fault(entry, 'exports no function createAdapters');
  const adapters = await loaded.createAdapters(host);
  if (!Array.isArray(adapters)) throw fault(entry, 'createAdapters must give an array of adapters');
  return adapters;
}

function checkAdapter(entry: string, adapter: Adapter): void {
  const { protocol } = adapter;
  if (typeof protocol !== 'string' || !/^[a-z0-9-]{1,64}$/.test(protocol)) {
    throw fault(entry, 'an adapter has no protocol name of a-z, 0-9 and "-"');
  }
  const wrong = wordsAgainst(adapter);
  if (wrong !== undefined) throw fault(entry, `the adapter "${protocol}" ${wrong}`);
}

/** What is wrong with the adapter, in words; `undefined` if nothing is. */
function wordsAgainst(adapter: Adapter): string | undefined {
  const moved = Object.keys(MOVES).filter((name) => name in adapter);
  if (moved.length > 0) {
    const moves = moved.map((name) => `"${name}" to "${MOVES[name]}"`).join(', ');
    return `is of an earlier form: its calls stand beside its name, but are now grouped by capability. Move ${moves}. The form is ${FORM}`;
  }
  const { completions, models, health } = adapter;
  const lacking = [
    ...lackingIn('health', health, ['check']),
    ...(models === undefined ? [] : lackingIn('models', models, ['list'])),
    ...(completions === undefined ? [] : lackingIn('completions', completions, ['stream', 'unsupported'])),
  ];
  if (lacking.length > 0) return `lacks ${lacking.join(', ')}. The form is ${FORM}`;
  if (completions === undefined)
    return `has no call that a caller could use: give it completions. The form is ${FORM}`;
  if (!isOptionRules(completions.optionRules)) {
    const form =
      'completions.optionRules: { reserved: { <field>: <what to do instead> }, priced: [<field>], extended: [<field>] }';
    return `does not say what providerOptions may not set: give it ${form}`;
  }
  return undefined;
}

function lackingIn(capability: string, given: unknown, methods: readonly string[]): string[] {
  const holder = typeof given === 'object' && given !== null ? given : {};
  return methods
    .filter((name) => typeof Reflect.get(holder, name) !== 'function')
    .map((name) => `${capability}.${name}`);
}

/** Checks the values too, since such a module may be written in JavaScript. */
function isOptionRules(rules: unknown): rules is OptionRules {
  if (!isJsonObject(rules) || !isJsonObject(rules.reserved)) return false;
  const texts = [Object.values(rules.reserved), rules.priced, rules.extended];
  return texts.every((list) => Array.isArray(list) && list.every((text) => typeof text === 'string'));
}

function fault(entry: string, words: string): StartError {
  return new StartError(`ADAPTERS: "${entry}" ${words}`);
}
