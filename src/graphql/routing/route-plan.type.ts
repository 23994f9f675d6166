// Owns how a plan is shown: every candidate with its place and reason.
import { Field, ID, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { PlannedCandidate, RoutePlan } from '../../domain/routing/route-plan.ts';
import { toGlobalId } from '../global-id.ts';
import { FallbackPolicy } from './routing.input.ts';

export enum Selection {
  INSTANCE = 'INSTANCE',
  MODEL = 'MODEL',
  TAG = 'TAG',
  AUTO = 'AUTO',
}
registerEnumType(Selection, {
  name: 'SelectionKind',
  description: 'What kind of name the `model` of a request is.',
});

@ObjectType({ description: 'One candidate of a plan.', simpleResolvers: true })
export class PlannedCandidateType {
  @Field(() => Int, { nullable: true, description: '1 is tried first; null = left out.' })
  place!: number | null;

  @Field(() => String, {
    description:
      'The instance’s slug, or `<canonical id>@<config name>` where a config serves without an instance.',
  })
  label!: string;

  @Field(() => ID, { nullable: true, description: 'Id of the instance, if there is one.' })
  instanceId!: string | null;

  @Field(() => ID, { description: 'Id of the provider config.' })
  configId!: string;

  @Field(() => String, { description: 'Canonical id of the model.' })
  canonicalId!: string;

  @Field(() => Int, { description: 'Higher goes first.' })
  priority!: number;

  @Field(() => Int, { description: 'Share among candidates of the same priority.' })
  weight!: number;

  @Field(() => String, { description: 'Why it has this place or was left out, as a code.' })
  code!: string;

  @Field(() => String, { description: 'The same as a message.' })
  reason!: string;
}

@ObjectType('RoutePlan', {
  description: 'Which instances a request tries, in which order, and why.',
  simpleResolvers: true,
})
export class RoutePlanType {
  @Field(() => String, { description: 'The `model` of the request.' })
  model!: string;

  @Field(() => Selection, { description: 'What kind of name `model` is.' })
  kind!: Selection;

  @Field(() => FallbackPolicy, { description: 'Which other instances may answer if the first choice fails.' })
  fallback!: FallbackPolicy;

  @Field(() => [PlannedCandidateType], {
    description: 'Every candidate: first those with a place, in order, then those left out.',
  })
  candidates!: PlannedCandidateType[];

  @Field(() => String, { description: 'The whole choice in a few sentences.' })
  summary!: string;
}

export function toRoutePlanType(plan: RoutePlan): RoutePlanType {
  return {
    ...plan,
    kind: plan.kind as Selection,
    fallback: plan.fallback as FallbackPolicy,
    candidates: plan.candidates.map(toCandidateType),
  };
}

function toCandidateType(candidate: PlannedCandidate): PlannedCandidateType {
  return {
    ...candidate,
    instanceId: candidate.instanceId && toGlobalId('ModelInstance', candidate.instanceId),
    configId: toGlobalId('ProviderConfig', candidate.configId),
  };
}
