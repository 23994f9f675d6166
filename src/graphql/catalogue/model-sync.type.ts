// Owns how model syncs are shown.
import { Field, ID, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { ModelSyncRow } from '../../domain/catalogue/model-sync-service.ts';
import { toGlobalId } from '../global-id.ts';
import { NodeType } from '../node.type.ts';
import { DateTimeScalar } from '../scalars.ts';
import { UserErrorType } from '../user-error.ts';

export enum SyncStatus {
  RUNNING = 'RUNNING',
  FINISHED = 'FINISHED',
  FAILED = 'FAILED',
}
registerEnumType(SyncStatus, {
  name: 'SyncStatus',
  description: 'Where a model sync stands.',
  valuesConfig: {
    RUNNING: { description: 'It goes on; `modelSyncProgress` follows it.' },
    FINISHED: { description: 'All that it found has been written.' },
    FAILED: { description: 'Nothing was changed; `error` says why.' },
  },
});

export enum SyncPhase {
  LISTING = 'LISTING',
  COMPARING = 'COMPARING',
  WRITING = 'WRITING',
  DONE = 'DONE',
}
registerEnumType(SyncPhase, {
  name: 'SyncPhase',
  description: 'What a model sync is doing.',
  valuesConfig: {
    LISTING: { description: 'The provider is asked for its models.' },
    COMPARING: { description: 'The list is compared with the catalogue.' },
    WRITING: { description: 'What differs is written, all of it or nothing.' },
    DONE: { description: 'It is over.' },
  },
});

export enum SyncSource {
  PROVIDER = 'PROVIDER',
  CATALOGUE = 'CATALOGUE',
}
registerEnumType(SyncSource, {
  name: 'SyncSource',
  description: 'Where the models of a sync come from.',
  valuesConfig: {
    PROVIDER: { description: 'The provider listed them.' },
    CATALOGUE: { description: 'The provider has no call that lists them; they are the catalogue’s.' },
  },
});

@ObjectType('ModelSyncError', { description: 'Why a model sync changed nothing.', simpleResolvers: true })
export class ModelSyncErrorType {
  @Field(() => String, { description: 'Error code, e.g. `PROVIDER_AUTHENTICATION`.' })
  code!: string;

  @Field(() => String, { description: 'The same in words, the provider’s own where it gave some.' })
  message!: string;
}

@ObjectType('ModelSync', {
  implements: NodeType,
  description:
    'Asking the provider of one config for its models. Rows are added, updated or withdrawn, never deleted.',
  simpleResolvers: true,
})
export class ModelSyncType extends NodeType {
  configId!: string;

  @Field(() => SyncStatus, { description: 'Where it stands.' })
  status!: SyncStatus;

  @Field(() => SyncPhase, { description: 'What it is doing.' })
  phase!: SyncPhase;

  @Field(() => SyncSource, {
    nullable: true,
    description: 'Where the models come from; null before that is known.',
  })
  source!: SyncSource | null;

  @Field(() => Int, { description: 'How many models there are.' })
  listed!: number;

  @Field(() => [String], { description: 'Canonical ids of models that your workspace did not know.' })
  added!: string[];

  @Field(() => [String], { description: 'Canonical ids of synced models of which something differed.' })
  updated!: string[];

  @Field(() => [String], {
    description:
      'Canonical ids of synced models that none of your credentials sees any more; they became unavailable.',
  })
  withdrawn!: string[];

  @Field(() => Int, {
    description: 'How many were left as they were: nothing differed, or they are not the sync’s to change.',
  })
  kept!: number;

  @Field(() => ModelSyncErrorType, { nullable: true, description: 'Why it failed.' })
  error!: ModelSyncErrorType | null;

  @Field(() => DateTimeScalar, { description: 'When it began.' })
  startedAt!: Date;

  @Field(() => DateTimeScalar, { nullable: true, description: 'When it ended.' })
  endedAt!: Date | null;
}

@InputType({ description: 'Which models to sync.' })
export class SyncModelsInput {
  @Field(() => ID, {
    nullable: true,
    description: 'Id of a provider config. Default: every one that is switched on.',
  })
  configId?: string;

  @Field(() => Boolean, {
    defaultValue: true,
    description: 'False answers at once, while the syncs run; `modelSyncProgress` follows them.',
  })
  wait!: boolean;

  @Field(() => Boolean, {
    defaultValue: false,
    description:
      'Takes a list that has lost more than half of its models for what it says; otherwise it changes nothing.',
  })
  acceptShrunkList!: boolean;
}

@ObjectType('SyncModelsPayload', { description: 'A sync for each config.', simpleResolvers: true })
export class SyncModelsPayload {
  @Field(() => [ModelSyncType], {
    description:
      'One for each config. Where a sync was running already it is that one: a config has one at a time.',
  })
  syncs!: ModelSyncType[];

  @Field(() => [UserErrorType], { description: 'What you can mend.' })
  userErrors!: UserErrorType[];
}

export function toModelSyncType(sync: ModelSyncRow): ModelSyncType {
  return {
    id: toGlobalId('ModelSync', sync.id),
    configId: sync.configId,
    status: sync.status as SyncStatus,
    phase: sync.phase as SyncPhase,
    source: (sync.source ?? null) as SyncSource | null,
    listed: sync.listed,
    added: sync.added,
    updated: sync.updated,
    withdrawn: sync.withdrawn,
    kept: sync.kept,
    error: sync.error ? { code: String(sync.error.code), message: String(sync.error.message) } : null,
    startedAt: sync.startedAt,
    endedAt: sync.endedAt ?? null,
  };
}
