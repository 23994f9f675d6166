// Owns how limits are shown and asked for in the graph: one nullable field for each name that there is.
import { Field, InputType, Int, ObjectType } from 'type-graphql';
import { type CallLimits, LIMIT_NAMES, LIMITS, type LimitName } from '../../kernel/call-limits.ts';

export type ShownLimits = { [Name in LimitName]: number | null };
export type GivenLimits = { [Name in LimitName]?: number | null };

@ObjectType('CallLimits', {
  description: 'Bounds on completions within any such span, and at once. Null: none of its own.',
  simpleResolvers: true,
})
export class CallLimitsType {}

@InputType({ description: 'Bounds on completions, each from 1 on; what is left out is not bounded here.' })
export class CallLimitsInput {}

for (const name of LIMIT_NAMES) {
  const field = Field(() => Int, { nullable: true, description: LIMITS[name].description });
  field(CallLimitsType.prototype, name);
  field(CallLimitsInput.prototype, name);
}

export function toShownLimits(limits: CallLimits): ShownLimits {
  return Object.fromEntries(LIMIT_NAMES.map((name) => [name, limits[name] ?? null])) as ShownLimits;
}
