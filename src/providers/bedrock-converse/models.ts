// Owns the reading of Bedrock's lists: models that are called by their id, and the inference profiles that stand for others.
import type { ListedModel } from '../contract/models.ts';
import { protocolFault } from '../shared/answer-faults.ts';
import { checkListLength, ModelList } from '../shared/model-list.ts';
import { foundationModelsSchema, inferenceProfilesSchema } from './wire.ts';

const PAGE_SIZE = 1000;
const MAX_PAGES = 100;

type Summary = ReturnType<typeof foundationModelsSchema.parse>['modelSummaries'][number];
type Profile = ReturnType<typeof inferenceProfilesSchema.parse>['inferenceProfileSummaries'][number];

/** `fetchText` gets a path of the control plane and gives the body of an answer that succeeded. */
export async function listModels(fetchText: (path: string) => Promise<string>): Promise<ListedModel[]> {
  const parsed = foundationModelsSchema.safeParse(
    new ModelList().parse(await fetchText('/foundation-models')),
  );
  if (!parsed.success) throw protocolFault('The list of foundation models is not one.', parsed.error);
  const summaries = parsed.data.modelSummaries;
  checkListLength(summaries.length);
  const byArn = new Map(summaries.map((summary) => [modelOfArn(summary.modelArn), summary]));
  const profiles = await readProfiles(fetchText);
  return [
    ...summaries.filter(isCalledById).map((summary) => listed(summary.modelId, summary.modelName, summary)),
    ...profiles.filter(isActive).map((profile) => listedProfile(profile, byArn)),
  ];
}

async function readProfiles(fetchText: (path: string) => Promise<string>): Promise<Profile[]> {
  const profiles = new ModelList<Profile>();
  let token = '';
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const query = `maxResults=${PAGE_SIZE}${token === '' ? '' : `&nextToken=${encodeURIComponent(token)}`}`;
    const result = inferenceProfilesSchema.safeParse(
      profiles.parse(await fetchText(`/inference-profiles?${query}`)),
    );
    if (!result.success) throw protocolFault('The list of inference profiles is not one.', result.error);
    profiles.add(result.data.inferenceProfileSummaries);
    const { nextToken } = result.data;
    if (!nextToken) return profiles.entries;
    token = nextToken;
  }
  throw protocolFault(`The list of inference profiles has more than ${MAX_PAGES} pages.`);
}

/** Other models are listed too, but answer only through an inference profile or a purchase. */
function isCalledById({ inferenceTypesSupported }: Summary): boolean {
  return !inferenceTypesSupported || inferenceTypesSupported.includes('ON_DEMAND');
}

function isActive({ status }: Profile): boolean {
  return !status || status === 'ACTIVE';
}

/** A profile that the account has made has an ARN as its name, and is called by it. */
function listedProfile(profile: Profile, byArn: ReadonlyMap<string, Summary>): ListedModel {
  const { type, inferenceProfileArn, inferenceProfileId, inferenceProfileName } = profile;
  const key = type === 'APPLICATION' && inferenceProfileArn ? inferenceProfileArn : inferenceProfileId;
  return listed(key, inferenceProfileName, byArn.get(modelOfArn(profile.models?.[0]?.modelArn)));
}

function listed(key: string, name: string | null | undefined, summary: Summary | undefined): ListedModel {
  const input = summary?.inputModalities;
  const output = summary?.outputModalities;
  return {
    key,
    ...(name ? { displayName: name } : {}),
    ...(input ? { inputModalities: input.map(modality) } : {}),
    ...(output ? { outputModalities: output.map(modality) } : {}),
  };
}

function modality(name: string): string {
  return name.toLowerCase();
}

/** `arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0`, the same model in each region. */
function modelOfArn(arn: string | null | undefined): string {
  return arn?.split('foundation-model/').at(-1) ?? '';
}
