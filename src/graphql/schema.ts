// Owns the whole graph: every resolver, and every type that is reached only through an interface.
import 'reflect-metadata';
import type { GraphQLSchema } from 'graphql';
import { buildSchemaSync } from 'type-graphql';
import { AccountResolver } from './billing/account.resolver.ts';
import { UsageReportResolver } from './billing/usage-report.resolver.ts';
import { ModelInstanceResolver } from './catalogue/model-instance.resolver.ts';
import { ModelSpecResolver } from './catalogue/model-spec.resolver.ts';
import { ProviderConfigResolver } from './catalogue/provider-config.resolver.ts';
import { ProviderSpecResolver } from './catalogue/provider-spec.resolver.ts';
import { UpkeepResolver } from './catalogue/upkeep.resolver.ts';
import { CompletionResolver } from './completions/completion.resolver.ts';
import { COMPLETION_EVENT_TYPES } from './completions/completion-event.type.ts';
import { CompletionEventsResolver } from './completions/completion-events.resolver.ts';
import { ApiKeyResolver } from './identity/api-key.resolver.ts';
import { AuditResolver } from './identity/audit.resolver.ts';
import { IdentityResolver } from './identity/identity.resolver.ts';
import { NodeResolver } from './node.resolver.ts';
import { InstanceRoutingResolver, ModelRoutingResolver } from './routing/model-routing.resolver.ts';
import { RoutingReportResolver } from './routing/routing-report.resolver.ts';

/** Subscriptions get their own streams, so this publishes nothing. */
const unusedPubSub = {
  publish: () => {},
  subscribe: (): never => {
    throw new Error('Every subscription brings its own stream');
  },
};

export function buildGraphSchema(): GraphQLSchema {
  return buildSchemaSync({
    resolvers: [
      NodeResolver,
      IdentityResolver,
      ApiKeyResolver,
      AuditResolver,
      ProviderSpecResolver,
      ProviderConfigResolver,
      ModelSpecResolver,
      ModelInstanceResolver,
      UpkeepResolver,
      InstanceRoutingResolver,
      ModelRoutingResolver,
      RoutingReportResolver,
      AccountResolver,
      UsageReportResolver,
      CompletionResolver,
      CompletionEventsResolver,
    ],
    orphanedTypes: [...COMPLETION_EVENT_TYPES],
    pubSub: unusedPubSub,
    validate: false,
  });
}
