// Owns the output and input types of the time limits of configs and instances.
import { Field, InputType, Int, ObjectType } from 'type-graphql';

const CONNECT = 'Milliseconds until the connection is made. Default 5000.';
const FIRST_TOKEN =
  'Milliseconds until the first token. Default 10000 if another instance could answer, otherwise 120000. The longer default also applies to models that reason, and once the provider has sent anything, even a comment.';
const BETWEEN_TOKENS = 'Milliseconds between tokens.';
const TOTAL = 'Milliseconds for the whole answer.';

@ObjectType('TimeLimits', { description: 'Time limits; null: the default.', simpleResolvers: true })
export class TimeLimitsType {
  @Field(() => Int, { nullable: true, description: CONNECT })
  connectMs!: number | null;

  @Field(() => Int, { nullable: true, description: FIRST_TOKEN })
  firstTokenMs!: number | null;

  @Field(() => Int, { nullable: true, description: BETWEEN_TOKENS })
  betweenTokensMs!: number | null;

  @Field(() => Int, { nullable: true, description: TOTAL })
  totalMs!: number | null;
}

@InputType({
  description: 'Time limits, 1 to 86400000 milliseconds; a field that is left out has its default.',
})
export class TimeLimitsInput {
  @Field(() => Int, { nullable: true, description: CONNECT })
  connectMs?: number;

  @Field(() => Int, { nullable: true, description: FIRST_TOKEN })
  firstTokenMs?: number;

  @Field(() => Int, { nullable: true, description: BETWEEN_TOKENS })
  betweenTokensMs?: number;

  @Field(() => Int, { nullable: true, description: TOTAL })
  totalMs?: number;
}

export function toTimeLimitsType(limits: Partial<TimeLimitsInput>): TimeLimitsType {
  return {
    connectMs: limits.connectMs ?? null,
    firstTokenMs: limits.firstTokenMs ?? null,
    betweenTokensMs: limits.betweenTokensMs ?? null,
    totalMs: limits.totalMs ?? null,
  };
}
