// Owns the inputs by which a caller steers the choice of an instance and the handling of faults.
import { Field, InputType, Int, registerEnumType } from 'type-graphql';
import type { RoutingOptions } from '../../domain/runs/run-request.ts';
import { withoutNulls } from '../input-values.ts';
import { UsdScalar } from '../scalars.ts';

export enum FallbackPolicy {
  NONE = 'NONE',
  SAME_MODEL = 'SAME_MODEL',
  ANY = 'ANY',
}
registerEnumType(FallbackPolicy, {
  name: 'Fallback',
  description: 'Which other instances may answer if the first choice fails.',
  valuesConfig: {
    NONE: { description: 'None: the fault is reported.' },
    SAME_MODEL: {
      description: 'Other instances of the same model. Default for a slug and for a canonical model id.',
    },
    ANY: { description: 'Any enabled instance with text output. Default for `tag:<name>` and `auto`.' },
  },
});

export enum CommitPolicy {
  FIRST_TOKEN = 'FIRST_TOKEN',
  COMPLETE = 'COMPLETE',
}
registerEnumType(CommitPolicy, {
  name: 'Commit',
  description: 'When the content of an attempt begins to be shown.',
  valuesConfig: {
    FIRST_TOKEN: {
      description:
        'With its first content; faults before that are hidden by another attempt. Default for streams.',
    },
    COMPLETE: {
      description:
        'When the answer is whole, so that a fault at any time can be hidden by another attempt. Default for `complete`.',
    },
  },
});

export enum StreamFaultPolicy {
  RESTART = 'RESTART',
  FAIL = 'FAIL',
}
registerEnumType(StreamFaultPolicy, {
  name: 'OnStreamFault',
  description: 'What happens if an answer breaks off after some of it was shown.',
  valuesConfig: {
    RESTART: {
      description:
        'The next instance answers from the start, and `CompletionRerouted(discard: true)` voids what was shown. Default.',
    },
    FAIL: { description: 'The completion fails with what was produced.' },
  },
});

@InputType({ description: 'The highest prices that an instance may have, in dollars per million tokens.' })
export class MaxPriceInput {
  @Field(() => UsdScalar, { nullable: true, description: 'For input.' })
  input?: bigint;

  @Field(() => UsdScalar, { nullable: true, description: 'For output.' })
  output?: bigint;
}

@InputType({ description: 'How an instance is chosen, and how faults are handled.' })
export class RoutingInput {
  @Field(() => FallbackPolicy, {
    nullable: true,
    description: 'Which other instances may answer if the first choice fails.',
  })
  fallback?: FallbackPolicy;

  @Field(() => Int, {
    nullable: true,
    description:
      'Calls of providers in all, 1 to 10. Default: what the operator has set with MAX_ATTEMPTS (6 if nothing was set). Each instance that waits is called once before another is called a third time.',
  })
  maxAttempts?: number;

  @Field(() => Int, {
    nullable: true,
    description:
      'Calls of one instance, 1 to 10; 1 never tries the same instance again. Default: as the instance says, else as its config says, else what the operator has set with MAX_ATTEMPTS_PER_INSTANCE (3 if nothing was set). An instance whose circuit is not closed is called once.',
  })
  maxAttemptsPerInstance?: number;

  @Field(() => Int, {
    nullable: true,
    description:
      'Milliseconds for the whole completion, attempts and waits together. Default: no bound but those of the attempts.',
  })
  totalMs?: number;

  @Field(() => Int, {
    nullable: true,
    description:
      'Milliseconds that a provider may ask to wait (`Retry-After`) before the same instance is tried again; beyond it the next one is. Default: what the operator has set with RETRY_PATIENCE_MS (3000 if nothing was set).',
  })
  patienceMs?: number;

  @Field(() => MaxPriceInput, {
    nullable: true,
    description: 'Instances that cost more, or whose price is not known, are left out.',
  })
  maxPrice?: MaxPriceInput;

  @Field(() => [String], { nullable: true, description: 'Slugs of instances that must not be called.' })
  exclude?: string[];

  @Field(() => String, {
    nullable: true,
    description:
      'Requests with the same text get the same instance among those of one priority, as long as it can serve. Use it to compare variants with a fixed one for each user.',
  })
  stickyKey?: string;

  @Field(() => CommitPolicy, { nullable: true, description: 'When content begins to be shown.' })
  commit?: CommitPolicy;

  @Field(() => StreamFaultPolicy, {
    nullable: true,
    description: 'What happens if an answer breaks off after some of it was shown.',
  })
  onStreamFault?: StreamFaultPolicy;
}

export function toRoutingOptions(input: RoutingInput | null | undefined): RoutingOptions {
  if (!input) return {};
  const { maxPrice, ...rest } = withoutNulls(input);
  return {
    ...(rest as Omit<RoutingOptions, 'maxPrice'>),
    ...(maxPrice ? { maxPrice: toBound(maxPrice) } : {}),
  };
}

/** Prices become text here, since the request of a run is stored as JSON. */
function toBound({ input, output }: MaxPriceInput): { input?: string; output?: string } {
  return {
    ...(input == null ? {} : { input: input.toString() }),
    ...(output == null ? {} : { output: output.toString() }),
  };
}
