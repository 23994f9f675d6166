// Owns the input of sampling parameters, for calls and for the defaults of instances.
import { Field, Float, InputType, Int, registerEnumType } from 'type-graphql';
import type { Parameters, ReasoningEffort } from '../../domain/catalogue/parameter-rules.ts';
import { withoutNulls } from '../input-values.ts';

export enum ReasoningEffortLevel {
  NONE = 'none',
  MINIMAL = 'minimal',
  LOW = 'low',
  MEDIUM = 'medium',
  HIGH = 'high',
  MAX = 'max',
}
registerEnumType(ReasoningEffortLevel, {
  name: 'ReasoningEffort',
  description: 'How much a reasoning model thinks before it answers.',
});

@InputType({ description: 'A bias on one token.' })
export class LogitBiasInput {
  @Field(() => String, { description: 'Token id in the model’s vocabulary.' })
  token!: string;

  @Field(() => Float, { description: 'From -100 to 100.' })
  bias!: number;
}

@InputType({
  description:
    'How the answer is sampled. A parameter that is left out has the instance’s default, else the provider’s.',
})
export class ParametersInput {
  @Field(() => Int, { nullable: true, description: 'The most tokens of output, 1 to the model’s own limit.' })
  maxTokens?: number;

  @Field(() => Float, { nullable: true, description: 'Randomness, 0 to 2.' })
  temperature?: number;

  @Field(() => Float, { nullable: true, description: 'Nucleus sampling, 0 to 1.' })
  topP?: number;

  @Field(() => Int, { nullable: true, description: 'Only the k most likely tokens are considered.' })
  topK?: number;

  @Field(() => [String], { nullable: true, description: 'Texts at which the answer stops; at most 16.' })
  stop?: string[];

  @Field(() => Float, {
    nullable: true,
    description: 'Whole number that makes sampling repeatable, as far as the provider can.',
  })
  seed?: number;

  @Field(() => Float, { nullable: true, description: 'Penalty on tokens that have occurred, -2 to 2.' })
  presencePenalty?: number;

  @Field(() => Float, {
    nullable: true,
    description: 'Penalty on tokens by how often they occurred, -2 to 2.',
  })
  frequencyPenalty?: number;

  @Field(() => Float, {
    nullable: true,
    description: 'Multiplicative penalty on repetition, 0 to 10; 1 is none.',
  })
  repetitionPenalty?: number;

  @Field(() => [LogitBiasInput], { nullable: true, description: 'Biases on single tokens.' })
  logitBias?: LogitBiasInput[];

  @Field(() => ReasoningEffortLevel, { nullable: true, description: 'How much a reasoning model thinks.' })
  reasoningEffort?: ReasoningEffortLevel;

  @Field(() => Int, {
    nullable: true,
    description: 'Most tokens of reasoning, if the provider supports such a bound.',
  })
  reasoningTokens?: number;

  @Field(() => Boolean, { nullable: true, description: 'Whether several tools may be called in one turn.' })
  parallelToolCalls?: boolean;
}

export function toParameters(input: ParametersInput | null | undefined): Parameters {
  if (!input) return {};
  const { logitBias, reasoningEffort, ...sampling } = input;
  return {
    ...withoutNulls(sampling),
    ...(logitBias
      ? { logitBias: Object.fromEntries(logitBias.map(({ token, bias }) => [token, bias])) }
      : {}),
    ...(reasoningEffort ? { reasoningEffort: reasoningEffort as ReasoningEffort } : {}),
  };
}
