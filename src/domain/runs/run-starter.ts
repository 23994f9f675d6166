// Owns the way from a request to a committed run; a refusal at any step leaves no run, no hold and no amount taken from limits.
//
// 1. The viewer's permission is asserted, the request validated.
// 2. The route is planned from the snapshot; a name that cannot be served is refused with what to do.
// 3. Limits and the run's row with its hold are asked for together, with an idempotency key one after the other; what was granted in vain is given back.
// 4. The row is committed, or the run that its idempotency key names is joined. The executor takes what has begun.
import { createHash } from 'node:crypto';
import type { Clock } from '../../kernel/clock.ts';
import { GatewayError, StorageError } from '../../kernel/errors.ts';
import type { NewId } from '../../kernel/ids.ts';
import { canonicalJson } from '../../kernel/json.ts';
import { formatUsd } from '../../kernel/money.ts';
import type { Telemetry } from '../../kernel/telemetry.ts';
import type { TraceContext } from '../../kernel/trace-context.ts';
import type { RunRepository } from '../../storage/repositories/run.repository.ts';
import type { RunBegun } from '../../storage/repositories/run.rows.ts';
import type { RunBegin } from '../../storage/run-columns.ts';
import type { ChargeRules } from '../billing/charge-rules.ts';
import { requireScope, type Viewer } from '../identity/viewer.ts';
import type { RoutePlan } from '../routing/route-plan.ts';
import type { RunExecutor } from './executor.ts';
import type { Kind, MeasuredRequest } from './kind.ts';
import { refuseRoute } from './route-refusal.ts';
import { RunFunds } from './run-funds.ts';
import { LimitRefusal, type LimitState, type RunLimits, type TakenLimits } from './run-limits.ts';
import type { RunPlanner } from './run-planner.ts';
import type { RunRequest } from './run-request.ts';
import { checkRunRequest } from './run-request-rules.ts';
import type { RunPolicy, RunTerms } from './run-terms.ts';
import type { UnsureBegins } from './unsure-begins.ts';

export interface StarterDependencies {
  readonly nodeId: string;
  readonly planner: RunPlanner;
  readonly executor: RunExecutor;
  readonly runs: RunRepository;
  readonly unsure: UnsureBegins;
  readonly charges: ChargeRules;
  readonly limits: RunLimits;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly newId: NewId;
}

export interface CallContext {
  readonly requestId: string;
  /** The trace that the request belongs to, for the run's telemetry and for its calls of providers. */
  readonly trace?: TraceContext | undefined;
  /** Aborted when the caller has disconnected; a run that has begun goes on. */
  readonly gone?: AbortSignal;
  /** Called with what is left of the caller's limits. */
  readonly tellLimits?: (states: readonly LimitState[]) => void;
}

type AskedLimits = ReturnType<RunLimits['take']>;

interface Beginning {
  readonly begun: RunBegun;
  readonly taken: TakenLimits | undefined;
}

export class RunStarter {
  readonly #needs: StarterDependencies;

  constructor(needs: StarterDependencies) {
    this.#needs = needs;
  }

  /** The plan that a request would have, without a run. */
  plan<Request extends RunRequest>(viewer: Viewer, kind: Kind<Request>, request: Request): RoutePlan {
    requireScope(viewer, 'run', 'read');
    const paidFor = this.#needs.charges.chargeFor(viewer) !== undefined;
    this.#validate(kind, request, paidFor);
    return this.#needs.planner.plan(viewer, kind, request, kind.measure(request), paidFor).route.plan;
  }

  /** The id of the run that was begun or joined. Raises the error that refuses it. */
  async begin<Request extends RunRequest>(
    viewer: Viewer,
    kind: Kind<Request>,
    request: Request,
    context: CallContext,
    commit: RunPolicy['commit'],
  ): Promise<string> {
    requireScope(viewer, 'run');
    const { planner, executor } = this.#needs;
    const charge = this.#needs.charges.chargeFor(viewer);
    this.#validate(kind, request, charge !== undefined);
    const measured = kind.measure(request);
    const { route, catalogue } = planner.plan(viewer, kind, request, measured, charge !== undefined);
    const [first] = route.candidates;
    if (!first) throw refuseRoute(route, planner.hintsFor(viewer, kind, request.model, catalogue));
    const id = this.#needs.newId();
    const createdAt = this.#needs.clock.now();
    const { prices } = catalogue;
    const funds =
      charge &&
      new RunFunds({
        kind,
        request,
        measured,
        prices,
        at: createdAt,
        raise: (amount) => this.#needs.runs.raiseHold(id, amount),
      });
    const terms: RunTerms = {
      id,
      kind,
      workspaceId: viewer.workspaceId,
      caller: viewer.caller,
      requestId: context.requestId,
      trace: context.trace,
      request,
      measured,
      route,
      prices,
      policy: planner.policyOf(request, commit),
      ...(funds ? { funds } : {}),
      createdAt,
    };
    const hold = funds?.amountFor(first) ?? 0n;
    const row = this.#rowOf(terms);
    const held = charge && {
      holdNano: hold,
      onAccount: charge.onAccount,
      budgetIds: charge.budgetIds,
    };
    const { begun, taken } = await this.#beginWithin(viewer, measured, context, { ...row, ...held }).catch(
      (error: unknown) => {
        if (error instanceof LimitRefusal) this.#tellRefusal(error, viewer, context);
        throw error === context.gone?.reason ? callerGone() : error;
      },
    );
    if (begun.outcome !== 'begun') return joined(begun);
    funds?.begunWith(hold);
    const active = executor.start(terms);
    if (taken) {
      active.ended.then(
        (record) => taken.settle(record),
        () => taken.giveBack(),
      );
    }
    return id;
  }

  #validate<Request extends RunRequest>(kind: Kind<Request>, request: Request, paidFor: boolean): void {
    checkRunRequest(request);
    kind.validate(request, paidFor);
  }

  #beginWithin(
    viewer: Viewer,
    measured: MeasuredRequest,
    context: CallContext,
    row: RunBegin,
  ): Promise<Beginning> {
    const asked = this.#needs.limits.take(row.id, viewer, measured);
    if (asked === undefined || row.idempotencyKey === null) return this.#beginBeside(asked, context, row);
    return this.#beginAfter(asked, context, row);
  }

  /** Takes limits and inserts the row at the same time, so that neither waits for the other. */
  async #beginBeside(
    asked: AskedLimits,
    { gone, tellLimits }: CallContext,
    row: RunBegin,
  ): Promise<Beginning> {
    const { runs } = this.#needs;
    if (asked instanceof GatewayError) throw asked;
    const [begins, takes] = await Promise.allSettled([runs.begin(row, gone), asked]);
    const taken = takes.status === 'fulfilled' ? takes.value : undefined;
    const granted = taken instanceof GatewayError ? undefined : taken;
    if (begins.status === 'rejected') {
      this.#noteUnsure(begins.reason, row);
      granted?.giveBack();
      throw begins.reason;
    }
    const begun = begins.value;
    if (begun.outcome !== 'begun') {
      granted?.giveBack();
      return { begun, taken: undefined };
    }
    const refusal =
      takes.status === 'rejected' ? takes.reason : taken instanceof GatewayError ? taken : undefined;
    if (refusal !== undefined) {
      // If this fails, the keeper ends the row later; the caller still gets the error of the limit.
      await runs.withdraw(row).catch(() => {});
      throw refusal;
    }
    if (granted) tellLimits?.(granted.states);
    return { begun, taken: granted };
  }

  /**
   * With an idempotency key, limits are taken before the row is inserted: after its commit other callers with the key can join the run, so it must not
   * be withdrawn. A run that exists already can be joined whatever the limits say.
   */
  async #beginAfter(
    asked: AskedLimits,
    { gone, tellLimits }: CallContext,
    row: RunBegin,
  ): Promise<Beginning> {
    const { runs } = this.#needs;
    const taken = await asked;
    if (taken instanceof GatewayError) {
      const begun = await runs.join(row, gone);
      if (!begun) throw taken;
      return { begun, taken: undefined };
    }
    let begun: RunBegun | undefined;
    try {
      begun = await runs.begin(row, gone);
    } catch (error) {
      this.#noteUnsure(error, row);
      throw error;
    } finally {
      if (begun?.outcome !== 'begun') taken?.giveBack();
    }
    if (begun.outcome !== 'begun') return { begun, taken: undefined };
    if (taken) tellLimits?.(taken.states);
    return { begun, taken };
  }

  /** The database may have begun the run although its answer was lost: the row is withdrawn later. */
  #noteUnsure(error: unknown, row: RunBegin): void {
    if (error instanceof StorageError && error.kind === 'unavailable') this.#needs.unsure.add(row);
  }

  #tellRefusal({ scope, limit }: LimitRefusal, { workspaceId }: Viewer, context: CallContext): void {
    const { requestId, trace } = context;
    this.#needs.telemetry.emit({ type: 'limit-refused', requestId, trace, workspaceId, scope, limit });
  }

  #rowOf({ request, route, ...terms }: RunTerms): RunBegin {
    const { metadata, idempotencyKey, ...stored } = request;
    const [first] = route.candidates;
    return {
      id: terms.id,
      kind: terms.kind.name,
      workspaceId: terms.workspaceId,
      caller: terms.caller,
      requestId: terms.requestId,
      model: request.model,
      input: stored,
      plan: route.plan,
      metadata,
      onDetach: request.onDetach,
      nodeId: this.#needs.nodeId,
      instanceId: first?.instance?.id ?? null,
      canonicalId: first?.canonicalId ?? null,
      idempotencyKey: idempotencyKey ?? null,
      inputHash: idempotencyKey === undefined ? null : hashOf(request),
      createdAt: terms.createdAt,
    };
  }
}

function callerGone(): GatewayError {
  return new GatewayError('CANCELLED', 'The caller disconnected before this completion had begun');
}

/** The run that the key names. Raises `CONFLICT` if it had another input, `INSUFFICIENT_FUNDS` if no run was begun. */
function joined({ outcome, runId, refusal }: RunBegun): string {
  if (outcome === 'joined') return runId;
  if (outcome === 'conflict') {
    throw new GatewayError(
      'CONFLICT',
      'idempotencyKey: was used with another input within 24 hours; take a new key',
      { path: 'idempotencyKey', extensions: { completionId: runId } },
    );
  }
  const required = formatUsd(BigInt(refusal?.required ?? 0));
  const available = formatUsd(BigInt(refusal?.available ?? 0));
  const whose = refusal?.scope === 'BUDGET' ? 'a budget leaves' : 'the account of your workspace has';
  throw new GatewayError(
    'INSUFFICIENT_FUNDS',
    `This completion may cost up to $${required}, and ${whose} $${available}; ask for fewer "maxTokens", or for more funds`,
    {
      extensions: {
        required,
        available,
        scope: refusal?.scope ?? 'ACCOUNT',
        ...(refusal?.budgetId ? { budgetId: refusal.budgetId } : {}),
      },
    },
  );
}

/** Digest of everything but the key: two requests with one key must agree in it. */
function hashOf({ idempotencyKey: _key, ...rest }: RunRequest): string {
  return createHash('sha256').update(canonicalJson(rest)).digest('base64url');
}
