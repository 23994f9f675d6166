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
    CALLABLE: { description: 'Nothing is known against it.' },
    DEGRADED: { description: 'It is tried after others; the reason says why.' },
    UNAVAILABLE: { description: 'A call would be refused or fail; the reason says why.' },
  },
});

@ObjectType('Availability', {
  description: 'Whether your key can call something now.',
  simpleResolvers: true,
})
export class AvailabilityType {
  @Field(() => AvailabilityKind, { description: 'In one word.' })
  state!: AvailabilityKind;

  @Field(() => String, {
    nullable: true,
    description: 'What stands against it, as a code, e.g. CONFIG_DISABLED, BAD_CREDENTIAL, CIRCUIT_OPEN.',
  })
  code!: string | null;

  @Field(() => String, { nullable: true, description: 'The same in words, with what to do.' })
  reason!: string | null;
}

export enum CircuitKind {
  CLOSED = 'CLOSED',
  OPEN = 'OPEN',
  HALF_OPEN = 'HALF_OPEN',
}
registerEnumType(CircuitKind, {
  name: 'CircuitState',
  description: 'Whether calls of a config and model are let through.',
  valuesConfig: {
    CLOSED: { description: 'All of them.' },
    OPEN: { description: 'None until `openUntil`, unless there is nothing else to call.' },
    HALF_OPEN: {
      description:
        'One at a time, to see whether it has recovered. While another instance can answer, that call is a small request of the gateway’s own, so that no completion is spent on it.',
    },
  },
});

@ObjectType('Circuit', {
  description: 'The circuit breaker of a config and model, as this node and those it hears of have seen it.',
  simpleResolvers: true,
})
export class CircuitType {
  @Field(() => CircuitKind, { description: 'Whether calls are let through.' })
  state!: CircuitKind;

  @Field(() => String, { nullable: true, description: 'Why it opened.' })
  reason!: string | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When one call is let through again.' })
  openUntil!: Date | null;

  @Field(() => DateTimeScalar, { nullable: true, description: 'Until when the provider asked for quiet.' })
  quietUntil!: Date | null;

  @Field(() => Int, { description: 'Failures in a row that this node has seen.' })
  failuresInRow!: number;
}

@InputType({ description: 'Which circuit to close.' })
export class ResetCircuitInput {
  @Field(() => ID, { description: 'Id of an instance; its config and model have the circuit.' })
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
