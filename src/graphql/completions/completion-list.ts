// Owns the list of completions: its filter and its connection.
import { Field, ID, InputType } from 'type-graphql';
import type { RunFilter } from '../../domain/runs/run-service.ts';
import { connectionOf } from '../connection.ts';
import { requireGlobalId } from '../global-id.ts';
import { CompletionStatus, CompletionType } from './completion.type.ts';

export const CompletionConnection = connectionOf(() => CompletionType, 'Completion');

@InputType({ description: 'Which completions to list.' })
export class CompletionFilterInput {
  @Field(() => CompletionStatus, { nullable: true, description: 'Their state.' })
  status?: CompletionStatus;

  @Field(() => String, {
    nullable: true,
    description: 'Canonical id of the model that answered, or was to answer.',
  })
  canonicalId?: string;

  @Field(() => ID, { nullable: true, description: 'Id of the instance that answered, or was to answer.' })
  instanceId?: string;
}

export function toRunFilter(filter: CompletionFilterInput | null | undefined): RunFilter {
  if (!filter) return {};
  const { status, canonicalId, instanceId } = filter;
  return {
    ...(status == null ? {} : { status }),
    ...(canonicalId == null ? {} : { canonicalId }),
    ...(instanceId == null ? {} : { instanceId: requireGlobalId('ModelInstance', instanceId) }),
  };
}
