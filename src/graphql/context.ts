// Owns what every resolver is given: the viewer, how the request arrived, the services, and the loaders of this one request.
import DataLoader from 'dataloader';
import type { CompletionRecord } from '../domain/completions/completion-result.ts';
import type { Services } from '../domain/gateway.ts';
import type { Viewer } from '../domain/identity/viewer.ts';
import type { Figures, FiguresGroup } from '../domain/routing/report-service.ts';
import type { LimitState } from '../domain/runs/run-limits.ts';
import type { RunAttempt } from '../domain/runs/run-record.ts';
import type { TraceContext } from '../kernel/trace-context.ts';
import { CatalogueLoaders } from './catalogue/catalogue-loaders.ts';

/** How the request arrived, as far as starting a run depends on it. */
export interface Arrival {
  readonly kind: 'http' | 'ws' | 'sse';
  /** Names the run if the caller gave no key: an operation id that an automatic reconnect sends again. */
  readonly operationKey?: string;
  /** The client has seen this run up to `after`, and wants the rest. */
  readonly resume?: { readonly runId: string; readonly after: number };
  /** True for a GET request, by which no run may be started. */
  readonly readOnly?: boolean;
}

export interface GraphContext {
  readonly viewer: Viewer;
  readonly requestId: string;
  /** The trace that the request belongs to, if it names one. */
  readonly trace?: TraceContext | undefined;
  readonly arrival: Arrival;
  readonly services: Services;
  readonly loaders: Loaders;
  /** Aborted when the caller has disconnected. */
  readonly gone?: AbortSignal;
  /** Called with what is left of the caller's limits. */
  readonly tellLimits: (states: readonly LimitState[]) => void;
  /** Values to send as `extensions` beside the data. */
  readonly notes: { rateLimit?: readonly LimitState[] };
}

export interface Loaders {
  readonly catalogue: CatalogueLoaders;
  /** When API keys were last used, by key id. */
  readonly keyUses: DataLoader<string, Date | undefined>;
  /** Completions that the viewer may see, by run id. */
  readonly completions: DataLoader<string, CompletionRecord | undefined>;
  /** The models that each credential saw at its last sync, by config id. */
  readonly listedModels: DataLoader<string, readonly string[]>;
  /** Live figures of the last hours, by instance id or canonical id. */
  figures(group: FiguresGroup, hours: number): DataLoader<string, Figures | undefined>;
  /** Attempts by run id. */
  readonly attempts: DataLoader<string, readonly RunAttempt[]>;
}

export interface ContextInput {
  readonly viewer: Viewer;
  readonly requestId: string;
  readonly trace?: TraceContext | undefined;
  readonly arrival: Arrival;
  readonly services: Services;
  readonly gone?: AbortSignal;
}

/** Makes the context of a call from what the door knows of it; the services are the same for all calls. */
export type ContextFor = (call: Omit<ContextInput, 'services'>) => GraphContext;

export function createContext(input: ContextInput): GraphContext {
  const notes: GraphContext['notes'] = {};
  const tellLimits = (states: readonly LimitState[]) => {
    notes.rateLimit = states;
  };
  return { ...input, loaders: createLoaders(input.viewer, input.services), tellLimits, notes };
}

/** Makes each loader on its first use, since most requests need none. */
function createLoaders(viewer: Viewer, services: Services): Loaders {
  let attempts: DataLoader<string, readonly RunAttempt[]> | undefined;
  let listedModels: DataLoader<string, readonly string[]> | undefined;
  const figures = new Map<string, DataLoader<string, Figures | undefined>>();
  let completions: DataLoader<string, CompletionRecord | undefined> | undefined;
  let catalogue: CatalogueLoaders | undefined;
  let keyUses: DataLoader<string, Date | undefined> | undefined;
  return {
    get catalogue() {
      catalogue ??= new CatalogueLoaders(viewer, services.catalogue, services.prices);
      return catalogue;
    },
    get keyUses() {
      keyUses ??= new DataLoader(async (keyIds) => {
        const found = await services.apiKeys.lastUses(keyIds);
        return keyIds.map((keyId) => found.get(keyId));
      });
      return keyUses;
    },
    get completions() {
      completions ??= new DataLoader(async (runIds) => {
        const found = await services.completions.byIds(viewer, runIds);
        return runIds.map((runId) => found.get(runId));
      });
      return completions;
    },
    get listedModels() {
      listedModels ??= new DataLoader(async (configIds) => {
        const found = await services.modelSyncs.listedModels(configIds);
        return configIds.map((configId) => found.get(configId) ?? []);
      });
      return listedModels;
    },
    figures(group, hours) {
      const name = `${group} ${hours}`;
      let loader = figures.get(name);
      if (!loader) {
        loader = new DataLoader(async (keys) => {
          const found = await services.reports.recent(viewer, group, keys, hours);
          return keys.map((key) => found.get(key));
        });
        figures.set(name, loader);
      }
      return loader;
    },
    get attempts() {
      attempts ??= new DataLoader(async (runIds) => {
        const found = await services.completions.attemptsOf(runIds);
        return runIds.map((runId) => found.get(runId) ?? []);
      });
      return attempts;
    },
  };
}
