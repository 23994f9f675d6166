// Owns the types of availability and circuits, and of closing a circuit.
import { Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { CircuitView } from '../../domain/routing/circuits.ts';
import { DateTimeScalar } from '../scalars.ts';

export enum AvailabilityKind {
  CALLABLE = 'CALLABLE',
  DEGRADED = 'DEGRADED',
  UNAVAILABLE = 'UNAVAILABLE',
}
registerEnumType(AvailabilityKind, {
  name: 'AvailabilityState',
  description: 'Whether your key can call it now.',
  valuesConfig: {
    CALLABLE: { description: 'No reason is known why a call should fail.' },
    DEGRADED: { description: 'It is called only after other candidates; `reason` says why.' },
    UNAVAILABLE: { description: 'A call would be refused or fail; `reason` says why.' },
  },
});

@ObjectType('Availability', {
  description: 'Whether your key can call an instance or a model now, and the reason if not.',
  simpleResolvers: true,
})
export class AvailabilityType {
  @Field(() => AvailabilityKind, { description: 'The state in one word.' })
  state!: AvailabilityKind;

  @Field(() => String, {
    nullable: true,
    description:
      'The reason as a code, e.g. CONFIG_DISABLED, BAD_CREDENTIAL, CIRCUIT_OPEN; null if there is none.',
  })
  code!: string | null;

  @Field(() => String, { nullable: true, description: 'The reason in words, with what to do.' })
  reason!: string | null;
}

export enum CircuitKind {
  CLOSED = 'CLOSED',
  OPEN = 'OPEN',
  HALF_OPEN = 'HALF_OPEN',
}
registerEnumType(CircuitKind, {
  name: 'CircuitState',
  description: 'Whether calls of a config and model are made, or held back because earlier calls failed.',
  valuesConfig: {
    CLOSED: { description: 'All calls are made.' },
    OPEN: { description: 'No call is made until `openUntil`, unless there is no other candidate to call.' },
    HALF_OPEN: {
      description:
        'One call at a time is made, to see whether the provider has recovered. While another instance can answer, that call is a small request of the gateway’s own, so that no completion is used for it.',
    },
  },
});

@ObjectType('Circuit', {
  description:
    'The circuit breaker of a config and model, as this node and the nodes that share state with it have seen it.',
  simpleResolvers: true,
})
export class CircuitType {
  @Field(() => CircuitKind, { description: 'Whether calls are made.' })
  state!: CircuitKind;

  @Field(() => String, { nullable: true, description: 'Why it opened.' })
  reason!: string | null;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'When a call is made again to see whether the provider has recovered.',
  })
  openUntil!: Date | null;

  @Field(() => DateTimeScalar, {
    nullable: true,
    description: 'Until when the provider has asked to receive no calls.',
  })
  quietUntil!: Date | null;

  @Field(() => Int, { description: 'Failures in a row that this node has seen.' })
  failuresInRow!: number;
}

@InputType({ description: 'Which circuit to close.' })
export class ResetCircuitInput {
  @Field(() => ID, { description: 'Id of an instance. The circuit belongs to its config and model.' })
  id!: string;
}

export function toCircuitType(view: CircuitView): CircuitType {
  return {
    state: view.state as CircuitKind,
    reason: view.reason,
    openUntil: view.openUntilMs === null ? null : new Date(view.openUntilMs),
    quietUntil: view.quietUntilMs === null ? null : new Date(view.quietUntilMs),
    failuresInRow: view.failuresInRow,
  };
}
