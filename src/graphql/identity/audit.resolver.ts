// Owns the query of the audit trail.
import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, Info, Query, Resolver } from 'type-graphql';
import { type Connection, ConnectionArgs, connectByTime, isCounter } from '../connection.ts';
import type { GraphContext } from '../context.ts';
import {
  AuditEventConnection,
  type AuditEventType,
  AuditFilterInput,
  toAuditEventType,
  toAuditQuery,
} from './audit.type.ts';

@Resolver()
export class AuditResolver {
  @Query(() => AuditEventConnection, {
    description:
      'The audit trail: who created, changed, rotated, revoked or credited what, the latest first. Needs scope ADMIN; administrators of the installation see all workspaces.',
  })
  async auditEvents(
    @Ctx() { viewer, services }: GraphContext,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
    @Info() info: GraphQLResolveInfo,
    @Arg('filter', () => AuditFilterInput, { nullable: true, description: 'Which events to list.' })
    filter?: AuditFilterInput,
  ): Promise<Connection<AuditEventType>> {
    const query = toAuditQuery(filter);
    return connectByTime(args, info, {
      isId: isCounter,
      list: (page) => services.audit.list(viewer, query, page),
      count: () => services.audit.count(viewer, query),
      node: toAuditEventType,
    });
  }
}
