// Owns how refreshes of the installation's catalogue are asked for and shown.
import { Field, InputType, Int, ObjectType, registerEnumType } from 'type-graphql';
import type { RefreshOutcome } from '../../domain/catalogue/catalogue-refresh-service.ts';
import type { CatalogueSourceName } from '../../domain/catalogue/catalogue-sources.ts';
import { UserErrorType } from '../user-error.ts';

export enum CatalogueSource {
  MODELS_DEV = 'models.dev',
  OPENROUTER = 'openrouter',
}
registerEnumType(CatalogueSource, {
  name: 'CatalogueSource',
  description: 'A public list of models and prices.',
  valuesConfig: {
    MODELS_DEV: { description: 'https://models.dev, for all providers but OpenRouter.' },
    OPENROUTER: { description: 'OpenRouter’s own list of its models.' },
  },
});

@InputType({ description: 'The lists to refresh the installation’s catalogue from.' })
export class RefreshCatalogueInput {
  @Field(() => [CatalogueSource], { nullable: true, description: 'The lists to read. Default: all.' })
  sources?: CatalogueSource[];
}

@ObjectType('CatalogueRefresh', {
  description: 'The result of reading one public list.',
  simpleResolvers: true,
})
export class CatalogueRefreshType {
  @Field(() => CatalogueSource, { description: 'Which list.' })
  source!: CatalogueSource;

  @Field(() => String, { description: 'The address of the list.' })
  url!: string;

  @Field(() => Int, { description: 'Number of models in the list.' })
  listed!: number;

  @Field(() => [String], { description: 'Canonical ids of models that are new in the catalogue.' })
  added!: string[];

  @Field(() => [String], { description: 'Canonical ids of models whose limits differed.' })
  updated!: string[];

  @Field(() => [String], { description: 'Canonical ids of models that got a new price version.' })
  priced!: string[];

  @Field(() => String, { nullable: true, description: 'Why nothing was changed, as an error code.' })
  errorCode!: string | null;

  @Field(() => String, { nullable: true, description: 'Why nothing was changed, as a message.' })
  errorMessage!: string | null;
}

@ObjectType('RefreshCataloguePayload', { description: 'The result for each list.', simpleResolvers: true })
export class RefreshCataloguePayload {
  @Field(() => [CatalogueRefreshType], { description: 'One for each list.' })
  refreshes!: CatalogueRefreshType[];

  @Field(() => [UserErrorType], { description: 'Faults of the input, which the caller can correct.' })
  userErrors!: UserErrorType[];
}

export function toCatalogueRefreshType({ error, ...outcome }: RefreshOutcome): CatalogueRefreshType {
  return {
    ...outcome,
    source: outcome.source as CatalogueSource,
    errorCode: error?.code ?? null,
    errorMessage: error?.message ?? null,
  };
}

export function toSourceNames(sources: readonly CatalogueSource[] | null | undefined): CatalogueSourceName[] {
  return [...(sources ?? Object.values(CatalogueSource))];
}
