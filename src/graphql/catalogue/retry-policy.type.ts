// Owns the output and input types of the retry policy of configs and instances.
import { Field, InputType, Int, ObjectType } from 'type-graphql';

const MAX_ATTEMPTS =
  'Calls of one instance within one completion, 1 to 10; 1 never tries the same instance again. Default of an instance: as its config says. Default of a config: what the operator has set with MAX_ATTEMPTS_PER_INSTANCE (3 if nothing was set).';
const CIRCUIT_BREAKER =
  'Whether calls stop for some seconds after several failed in a row. Default of an instance: as its config says. Default of a config: true. Has no effect if the operator has set CIRCUIT_BREAKER to off.';

@ObjectType('RetryPolicy', {
  description: 'How often calls are tried again; null: the default.',
  simpleResolvers: true,
})
export class RetryPolicyType {
  @Field(() => Int, { nullable: true, description: MAX_ATTEMPTS })
  maxAttempts!: number | null;

  @Field(() => Boolean, { nullable: true, description: CIRCUIT_BREAKER })
  circuitBreaker!: boolean | null;
}

@InputType({ description: 'How often calls are tried again; a field that is left out has its default.' })
export class RetryPolicyInput {
  @Field(() => Int, { nullable: true, description: MAX_ATTEMPTS })
  maxAttempts?: number;

  @Field(() => Boolean, { nullable: true, description: CIRCUIT_BREAKER })
  circuitBreaker?: boolean;
}

export function toRetryPolicyType(policy: Partial<RetryPolicyInput>): RetryPolicyType {
  return { maxAttempts: policy.maxAttempts ?? null, circuitBreaker: policy.circuitBreaker ?? null };
}
