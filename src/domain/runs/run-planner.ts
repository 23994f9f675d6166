// Owns how a request becomes a plan: everything it needs is read from the snapshot, without a query.
import type { Clock } from '../../kernel/clock.ts';
import type { Adapter } from '../../providers/contract/adapter.ts';
import { priceInForce } from '../billing/model-price.ts';
import type { ProviderTargets } from '../catalogue/provider-target.ts';
import type { CatalogueSnapshots, WorkspaceCatalogue } from '../catalogue/snapshot.ts';
import type { Viewer } from '../identity/viewer.ts';
import { type Candidate, isFree } from '../routing/candidates.ts';
import { type Circuits } from '../routing/circuits.ts';
import { lackOfModel, nearNames } from '../routing/near-names.ts';
import { type PriceBound, planRoute, type Route } from '../routing/planner.ts';
import type { CallableCandidate, Kind, MeasuredRequest } from './kind.ts';
import type { RefusalHints } from './route-refusal.ts';
import type { RunRequest } from './run-request.ts';
import type { RunPolicy } from './run-terms.ts';

export interface RunPlannerDependencies {
  readonly snapshots: CatalogueSnapshots;
  readonly adapterOf: (protocol: string) => Adapter | undefined;
  readonly targets: ProviderTargets;
  readonly circuits: Circuits;
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly retries: RetryDefaults;
}

/** The values that hold if neither the caller nor the row sets its own. */
export interface RetryDefaults {
  readonly maxAttempts: number;
  readonly maxAttemptsPerInstance: number;
  readonly patienceMs: number;
}

export class RunPlanner {
  readonly #needs: RunPlannerDependencies;
  readonly #speaks: (protocol: string) => boolean;
  readonly #isSimulated: (protocol: string) => boolean;

  constructor(needs: RunPlannerDependencies) {
    this.#needs = needs;
    this.#speaks = (protocol) => needs.adapterOf(protocol) !== undefined;
    this.#isSimulated = (protocol) => needs.adapterOf(protocol)?.simulated === true;
  }

  /** `mustBePriced`: an account or a budget pays, so candidates without a price are left out. */
  plan<Request extends RunRequest>(
    viewer: Viewer,
    kind: Kind<Request>,
    request: Request,
    measured: MeasuredRequest,
    mustBePriced: boolean,
  ): { route: Route; catalogue: WorkspaceCatalogue } {
    const catalogue = this.#needs.snapshots.of(viewer.workspaceId);
    const { fallback, exclude, stickyKey, maxPrice } = request.routing;
    const isDemanding = kind.isDemanding(request);
    const route = planRoute({
      catalogue,
      model: request.model,
      needs: kind.needs(request, measured),
      ...(fallback ? { fallback } : {}),
      ...(exclude ? { exclude: new Set(exclude) } : {}),
      ...(stickyKey === undefined ? {} : { stickyKey }),
      ...(maxPrice ? { maxPrice: toPriceBound(maxPrice) } : {}),
      ...(viewer.allowedModels ? { allowed: viewer.allowedModels } : {}),
      mustBePriced,
      priceOf: (candidate) => this.#priceOf(candidate, catalogue),
      circuitOf: (candidate) => this.#needs.circuits.view(candidate.circuitKey),
      speaks: this.#speaks,
      offers: (protocol) => {
        const adapter = this.#needs.adapterOf(protocol);
        return adapter !== undefined && kind.isOfferedBy(adapter);
      },
      callName: kind.name,
      isSimulated: this.#isSimulated,
      unsupportedBy: (candidate) =>
        request.onUnsupported === 'DROP' || !(isDemanding || hasDefaults(candidate))
          ? []
          : this.#unsupportedBy(candidate, kind, request),
      random: this.#needs.random,
    });
    return { route, catalogue };
  }

  /** What the error tells a caller whose `model` cannot be served. */
  hintsFor(
    { allowedModels: allowed }: Viewer,
    { output }: Pick<Kind, 'output'>,
    asked: string,
    catalogue: WorkspaceCatalogue,
  ): RefusalHints {
    const speaks = this.#speaks;
    return {
      nearNames: () => nearNames({ catalogue, asked, allowed, speaks, output }),
      lack: () => lackOfModel(catalogue, asked, speaks),
    };
  }

  policyOf({ routing }: RunRequest, commit: RunPolicy['commit']): RunPolicy {
    const { maxAttempts, maxAttemptsPerInstance, patienceMs } = this.#needs.retries;
    return {
      maxAttempts: routing.maxAttempts ?? maxAttempts,
      maxAttemptsPerInstance: routing.maxAttemptsPerInstance,
      defaultAttemptsPerInstance: maxAttemptsPerInstance,
      patienceMs: routing.patienceMs ?? patienceMs,
      totalMs: routing.totalMs,
      commit: routing.commit ?? commit,
      onStreamFault: routing.onStreamFault ?? 'RESTART',
    };
  }

  #priceOf(candidate: Candidate, catalogue: WorkspaceCatalogue) {
    if (isFree(candidate)) return { input: 0n, output: 0n };
    const price = priceInForce(catalogue.prices, candidate.canonicalId, this.#needs.clock.now());
    return price && { input: price.inputNanoPerMillion, output: price.outputNanoPerMillion };
  }

  #unsupportedBy<Request extends RunRequest>(candidate: Candidate, kind: Kind<Request>, request: Request) {
    const adapter = this.#needs.adapterOf(candidate.protocol ?? '');
    if (!adapter || !candidate.spec) return [];
    const target = this.#needs.targets.of(
      candidate.config,
      candidate.spec,
      candidate.model,
      candidate.instance,
    );
    const call: CallableCandidate = { candidate, adapter, target };
    return kind.unsupported(call, request);
  }
}

function hasDefaults({ instance }: Candidate): boolean {
  for (const _name in instance?.defaultParameters) return true;
  return false;
}

function toPriceBound({ input, output }: { readonly input?: string; readonly output?: string }): PriceBound {
  return {
    ...(input === undefined ? {} : { input: BigInt(input) }),
    ...(output === undefined ? {} : { output: BigInt(output) }),
  };
}
