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

@InputType({ description: 'Where to refresh the installation’s catalogue from.' })
export class RefreshCatalogueInput {
  @Field(() => [CatalogueSource], { nullable: true, description: 'Default: all.' })
  sources?: CatalogueSource[];
}

@ObjectType('CatalogueRefresh', { description: 'What one public list came to.', simpleResolvers: true })
export class CatalogueRefreshType {
  @Field(() => CatalogueSource, { description: 'Which list.' })
  source!: CatalogueSource;

  @Field(() => String, { description: 'Where it was read.' })
  url!: string;

  @Field(() => Int, { description: 'How many models it had.' })
  listed!: number;

  @Field(() => [String], { description: 'Canonical ids of models that the catalogue did not know.' })
  added!: string[];

  @Field(() => [String], { description: 'Canonical ids of models whose limits differed.' })
  updated!: string[];

  @Field(() => [String], { description: 'Canonical ids of models that got a new price version.' })
  priced!: string[];

  @Field(() => String, { nullable: true, description: 'Why nothing was changed, as an error code.' })
  errorCode!: string | null;

  @Field(() => String, { nullable: true, description: 'Why nothing was changed, in words.' })
  errorMessage!: string | null;
}

@ObjectType('RefreshCataloguePayload', { description: 'What each list came to.', simpleResolvers: true })
export class RefreshCataloguePayload {
  @Field(() => [CatalogueRefreshType], { description: 'One for each list.' })
  refreshes!: CatalogueRefreshType[];

  @Field(() => [UserErrorType], { description: 'What you can mend.' })
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
