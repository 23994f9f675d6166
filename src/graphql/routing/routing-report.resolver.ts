// Owns the report that compares instances, models or configs, and the mutation that closes a circuit.
import { Arg, Ctx, FieldResolver, Mutation, Query, Resolver, Root } from 'type-graphql';
import { lookUp } from '../catalogue/look-up.ts';
import {
  ModelInstancePayload,
  ModelInstanceType,
  toModelInstanceType,
} from '../catalogue/model-instance.type.ts';
import { ProviderConfigType, toProviderConfigType } from '../catalogue/provider-config.type.ts';
import type { GraphContext } from '../context.ts';
import { requireGlobalId } from '../global-id.ts';
import { withoutNulls } from '../input-values.ts';
import { asUserErrors } from '../user-error.ts';
import { ResetCircuitInput } from './availability.type.ts';
import {
  ReportGroup,
  RoutingReportInput,
  RoutingReportRowType,
  RoutingReportType,
  toFiguresType,
} from './figures.type.ts';

@Resolver(() => RoutingReportRowType)
export class RoutingReportResolver {
  @Query(() => RoutingReportType, {
    description:
      'Compares instances, models or configs over a window of time. Needs scope READ or CATALOGUE.',
  })
  async routingReport(
    @Ctx() { viewer, services }: GraphContext,
    @Arg('input', () => RoutingReportInput, { nullable: true, description: 'What to report on.' })
    input?: RoutingReportInput,
  ): Promise<RoutingReportType> {
    const { groupBy = ReportGroup.INSTANCE, ...query } = withoutNulls(input ?? ({} as RoutingReportInput));
    const { since, until, rows } = await services.reports.report(viewer, { ...query, group: groupBy });
    return {
      since,
      until,
      rows: rows.map(({ key, canonicalId, share, ...figures }) => ({
        key,
        group: groupBy,
        canonicalId,
        share,
        figures: toFiguresType({ key, canonicalId, share, ...figures }),
      })),
    };
  }

  @Mutation(() => ModelInstancePayload, {
    description: 'Closes the circuit of an instance’s config and model on all nodes. Needs scope CATALOGUE.',
  })
  resetCircuit(
    @Ctx() context: GraphContext,
    @Arg('input', () => ResetCircuitInput) { id }: ResetCircuitInput,
  ): Promise<ModelInstancePayload> {
    return asUserErrors<ModelInstancePayload>({ modelInstance: null }, async () => {
      context.services.circuits.reset(context.viewer, requireGlobalId('ModelInstance', id));
      return {
        modelInstance: toModelInstanceType(await lookUp(context, 'model_instance', id, 'slug', undefined)),
      };
    });
  }

  @FieldResolver(() => ModelInstanceType, {
    nullable: true,
    description: 'The instance, in a report on instances; null if it was deleted.',
  })
  async instance(
    @Root() row: RoutingReportRowType,
    @Ctx() { loaders }: GraphContext,
  ): Promise<ModelInstanceType | null> {
    if (row.group !== ReportGroup.INSTANCE) return null;
    const found = await loaders.catalogue.byId('model_instance', row.key);
    return found ? toModelInstanceType(found) : null;
  }

  @FieldResolver(() => ProviderConfigType, {
    nullable: true,
    description: 'The config, in a report on configs; null if it was deleted.',
  })
  async config(
    @Root() row: RoutingReportRowType,
    @Ctx() { loaders }: GraphContext,
  ): Promise<ProviderConfigType | null> {
    if (row.group !== ReportGroup.CONFIG) return null;
    const found = await loaders.catalogue.byId('provider_config', row.key);
    return found ? toProviderConfigType(found) : null;
  }
}
