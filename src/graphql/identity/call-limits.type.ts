// Owns how limits are shown and asked for in the graph: one nullable field for each name that there is.
import { Field, InputType, Int, ObjectType } from 'type-graphql';
import { type CallLimits, LIMIT_NAMES, LIMITS, type LimitName } from '../../kernel/call-limits.ts';

export type ShownLimits = { [Name in LimitName]: number | null };
export type GivenLimits = { [Name in LimitName]?: number | null };

@ObjectType('CallLimits', {
  description:
    'Limits on the completions of each minute, hour or day, and on completions under way. Null: no limit of its own.',
  simpleResolvers: true,
})
export class CallLimitsType {}

@InputType({ description: 'Limits on completions, each at least 1; a field that is left out sets no limit.' })
export class CallLimitsInput {}

for (const name of LIMIT_NAMES) {
  const field = Field(() => Int, { nullable: true, description: LIMITS[name].description });
  field(CallLimitsType.prototype, name);
  field(CallLimitsInput.prototype, name);
}

export function toShownLimits(limits: CallLimits): ShownLimits {
  return Object.fromEntries(LIMIT_NAMES.map((name) => [name, limits[name] ?? null])) as ShownLimits;
}
