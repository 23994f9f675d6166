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
  description: 'The state of a model sync.',
  valuesConfig: {
    RUNNING: { description: 'It is running; `modelSyncProgress` follows it.' },
    FINISHED: { description: 'All changes have been written.' },
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
  description: 'The step that a model sync is at.',
  valuesConfig: {
    LISTING: { description: 'The provider is asked for its models.' },
    COMPARING: { description: 'The list is compared with the catalogue.' },
    WRITING: { description: 'The changes are written, completely or not at all.' },
    DONE: { description: 'The sync has ended.' },
  },
});

export enum SyncSource {
  PROVIDER = 'PROVIDER',
  CATALOGUE = 'CATALOGUE',
}
registerEnumType(SyncSource, {
  name: 'SyncSource',
  description: 'The origin of the models of a sync.',
  valuesConfig: {
    PROVIDER: { description: 'The provider listed them.' },
    CATALOGUE: { description: 'The provider has no call that lists them; they are the catalogue’s.' },
  },
});

@ObjectType('ModelSyncError', { description: 'Why a model sync changed nothing.', simpleResolvers: true })
export class ModelSyncErrorType {
  @Field(() => String, { description: 'Error code, e.g. `PROVIDER_AUTHENTICATION`.' })
  code!: string;

  @Field(() => String, { description: 'The message; the provider’s own if it gave one.' })
  message!: string;
}

@ObjectType('ModelSync', {
  implements: NodeType,
  description:
    'A request to the provider of one config for its models, and the changes that followed. Rows are added, updated or withdrawn, never deleted.',
  simpleResolvers: true,
})
export class ModelSyncType extends NodeType {
  configId!: string;

  @Field(() => SyncStatus, { description: 'Its state.' })
  status!: SyncStatus;

  @Field(() => SyncPhase, { description: 'The present step.' })
  phase!: SyncPhase;

  @Field(() => SyncSource, {
    nullable: true,
    description: 'Where the models come from; null before that is known.',
  })
  source!: SyncSource | null;

  @Field(() => Int, { description: 'Number of models that were listed.' })
  listed!: number;

  @Field(() => [String], { description: 'Canonical ids of models that your workspace did not know.' })
  added!: string[];

  @Field(() => [String], { description: 'Canonical ids of synced models whose facts had changed.' })
  updated!: string[];

  @Field(() => [String], {
    description:
      'Canonical ids of synced models that none of your credentials sees any more; they became unavailable.',
  })
  withdrawn!: string[];

  @Field(() => Int, {
    description:
      'Number of models that were left unchanged: nothing differed, or the sync may not change them.',
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
    description: 'False: answers at once, while the syncs run; `modelSyncProgress` follows them.',
  })
  wait!: boolean;

  @Field(() => Boolean, {
    defaultValue: false,
    description:
      'True: accepts a list that has lost more than half of its models. False: such a list changes nothing.',
  })
  acceptShrunkList!: boolean;
}

@ObjectType('SyncModelsPayload', { description: 'A sync for each config.', simpleResolvers: true })
export class SyncModelsPayload {
  @Field(() => [ModelSyncType], {
    description:
      'One sync for each config. If a sync of the config was running already, it is that one, since a config has one at a time.',
  })
  syncs!: ModelSyncType[];

  @Field(() => [UserErrorType], { description: 'Faults of the input, which the caller can correct.' })
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
