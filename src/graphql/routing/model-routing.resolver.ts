// Owns the routing fields of instances and models: whether they can be called now, their circuits, and their live figures.
import { Arg, Ctx, FieldResolver, Int, Resolver, Root } from 'type-graphql';
import { GatewayError } from '../../kernel/errors.ts';
import { ModelInstanceType } from '../catalogue/model-instance.type.ts';
import { ModelSpecType } from '../catalogue/model-spec.type.ts';
import type { GraphContext } from '../context.ts';
import { readGlobalId } from '../global-id.ts';
import { type AvailabilityKind, AvailabilityType, CircuitType, toCircuitType } from './availability.type.ts';
import { FiguresType, toFiguresType } from './figures.type.ts';

const MAX_HOURS = 24 * 366;
const AVAILABILITY = 'Whether your key can call it now, and why not.';
const FIGURES = 'Success rate, latencies and cost in your workspace; null if it was not called.';

@Resolver(() => ModelInstanceType)
export class InstanceRoutingResolver {
  @FieldResolver(() => AvailabilityType, { description: AVAILABILITY })
  availability(
    @Root() instance: ModelInstanceType,
    @Ctx() { viewer, services }: GraphContext,
  ): AvailabilityType {
    const found = services.availability.ofInstance(viewer, rowIdOf(instance));
    return { ...found, state: found.state as AvailabilityKind };
  }

  @FieldResolver(() => CircuitType, {
    nullable: true,
    description: 'The circuit breaker of its config and model; null if the instance was made a moment ago.',
  })
  circuit(
    @Root() instance: ModelInstanceType,
    @Ctx() { viewer, services }: GraphContext,
  ): CircuitType | null {
    const view = services.availability.circuitOf(viewer, rowIdOf(instance));
    return view ? toCircuitType(view) : null;
  }

  @FieldResolver(() => FiguresType, { nullable: true, description: FIGURES })
  async figures(
    @Root() instance: ModelInstanceType,
    @Ctx() { loaders }: GraphContext,
    @Arg('hours', () => Int, {
      defaultValue: 24,
      description: 'Number of past hours to report on, 1 to 8784.',
    })
    hours: number,
  ): Promise<FiguresType | null> {
    const figures = await loaders.figures('instance', checkHours(hours)).load(rowIdOf(instance));
    return figures ? toFiguresType(figures) : null;
  }
}

@Resolver(() => ModelSpecType)
export class ModelRoutingResolver {
  @FieldResolver(() => AvailabilityType, { description: AVAILABILITY })
  availability(@Root() model: ModelSpecType, @Ctx() { viewer, services }: GraphContext): AvailabilityType {
    const found = services.availability.ofModel(viewer, model.canonicalId);
    return { ...found, state: found.state as AvailabilityKind };
  }

  @FieldResolver(() => FiguresType, { nullable: true, description: FIGURES })
  async figures(
    @Root() model: ModelSpecType,
    @Ctx() { loaders }: GraphContext,
    @Arg('hours', () => Int, {
      defaultValue: 24,
      description: 'Number of past hours to report on, 1 to 8784.',
    })
    hours: number,
  ): Promise<FiguresType | null> {
    const figures = await loaders.figures('model', checkHours(hours)).load(model.canonicalId);
    return figures ? toFiguresType(figures) : null;
  }
}

function rowIdOf({ id }: ModelInstanceType): string {
  return readGlobalId(id)?.id ?? '';
}

function checkHours(hours: number): number {
  if (hours >= 1 && hours <= MAX_HOURS) return hours;
  throw new GatewayError('BAD_USER_INPUT', `hours: must be 1 to ${MAX_HOURS}`, { path: 'hours' });
}
