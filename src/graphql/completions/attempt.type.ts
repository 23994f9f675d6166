// Owns the type of an attempt, one call of a provider.
import { Field, ID, Int, ObjectType } from 'type-graphql';
import type { RunAttempt } from '../../domain/runs/run-record.ts';
import { toGlobalId } from '../global-id.ts';
import { DateTimeScalar, UsdScalar } from '../scalars.ts';
import { toUsageType, UsageType } from './usage.type.ts';

@ObjectType('AttemptError', { description: 'Why an attempt failed.', simpleResolvers: true })
export class AttemptErrorType {
  @Field(() => String, { description: 'One of the gateway’s error codes, e.g. PROVIDER_TIMEOUT.' })
  code!: string;

  @Field(() => String, { description: 'The provider’s own message, if it gave one.' })
  message!: string;

  @Field(() => Int, { nullable: true, description: 'HTTP status of the provider’s answer.' })
  status!: number | null;

  @Field(() => String, { nullable: true, description: 'The provider’s own error code.' })
  providerCode!: string | null;

  @Field(() => Int, { nullable: true, description: 'How many milliseconds the provider asked to wait.' })
  retryAfterMs!: number | null;
}

@ObjectType('CompletionAttempt', { description: 'One call of one provider.', simpleResolvers: true })
export class CompletionAttemptType {
  @Field(() => Int, { description: 'Order of the attempts, from 1.' })
  number!: number;

  @Field(() => ID, { nullable: true, description: 'Id of the instance, if one was used.' })
  instanceId!: string | null;

  @Field(() => ID, { description: 'Id of the provider config.' })
  configId!: string;

  @Field(() => String, { description: 'Canonical id of the model that was asked.' })
  canonicalId!: string;

  @Field(() => String, {
    nullable: true,
    description: 'The model that answered, in the provider’s own words.',
  })
  servedModel!: string | null;

  @Field(() => String, {
    nullable: true,
    description: 'The provider’s id of the request, for its support desk.',
  })
  providerRequestId!: string | null;

  @Field(() => String, { description: 'SUCCEEDED, FAILED, CANCELLED or INTERRUPTED.' })
  outcome!: string;

  @Field(() => AttemptErrorType, { nullable: true, description: 'Why it failed.' })
  error!: AttemptErrorType | null;

  @Field(() => DateTimeScalar, { description: 'When it began.' })
  startedAt!: Date;

  @Field(() => Int, { nullable: true, description: 'Milliseconds to the first content.' })
  firstTokenMs!: number | null;

  @Field(() => Int, { description: 'Milliseconds from its start to its end.' })
  durationMs!: number;

  @Field(() => UsageType, { description: 'Tokens that it used.' })
  usage!: UsageType;

  @Field(() => UsdScalar, { nullable: true, description: 'Its cost; null if no price is known.' })
  cost!: bigint | null;

  @Field(() => Boolean, { description: 'True if its output was not kept, so that it is not charged.' })
  absorbed!: boolean;
}

export function toAttemptType(attempt: RunAttempt): CompletionAttemptType {
  return {
    ...attempt,
    instanceId: attempt.instanceId && toGlobalId('ModelInstance', attempt.instanceId),
    configId: toGlobalId('ProviderConfig', attempt.configId),
    usage: toUsageType(attempt.usage),
    cost: attempt.costNano,
  };
}
