// Owns the smallest catalogue with which completions can be run: the sandbox's own rows.
import { type CatalogueData, loadCatalogueData } from '../../src/domain/catalogue/catalogue-data.ts';

export async function sandboxCatalogue(): Promise<CatalogueData> {
  const { providers, models } = await loadCatalogueData();
  return {
    version: '2026-01-01',
    hash: 'sandbox',
    providers: providers.filter(({ key }) => key === 'sandbox'),
    models: models.filter(({ provider }) => provider === 'sandbox'),
  };
}
