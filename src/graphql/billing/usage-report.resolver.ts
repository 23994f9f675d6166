// Owns the query of the usage report.
import { Arg, Ctx, Query, Resolver } from 'type-graphql';
import type { GraphContext } from '../context.ts';
import { toGlobalId } from '../global-id.ts';
import { withoutNulls } from '../input-values.ts';
import {
  toUsageReportRowType,
  UsageGroupType,
  UsageReportInput,
  UsageReportType,
} from './usage-report.type.ts';

@Resolver()
export class UsageReportResolver {
  @Query(() => UsageReportType, {
    description:
      'Usage and cost of the completions of a window of time: your own; with scope READ, those of the whole workspace.',
  })
  async usageReport(
    @Ctx() { viewer, services }: GraphContext,
    @Arg('input', () => UsageReportInput, { nullable: true, description: 'What to report on.' })
    input?: UsageReportInput,
  ): Promise<UsageReportType> {
    const { groupBy = UsageGroupType.MODEL, ...query } = withoutNulls(input ?? ({} as UsageReportInput));
    const { since, until, rows } = await services.usage.report(viewer, { ...query, group: groupBy });
    const ofInstances = groupBy === UsageGroupType.INSTANCE;
    return {
      since,
      until,
      rows: rows.map(toUsageReportRowType).map((row) => {
        return ofInstances && row.key ? { ...row, key: toGlobalId('ModelInstance', row.key) } : row;
      }),
    };
  }
}
