// Owns the list of services that any door may call, whichever protocol its callers speak.
import type { AccountService } from './billing/account-service.ts';
import type { UsageService } from './billing/usage-service.ts';
import type { CatalogueRefreshService } from './catalogue/catalogue-refresh-service.ts';
import type { CatalogueService } from './catalogue/catalogue-service.ts';
import type { ModelInstanceService } from './catalogue/model-instance-service.ts';
import type { ModelSpecService } from './catalogue/model-spec-service.ts';
import type { ModelSyncService } from './catalogue/model-sync-service.ts';
import type { PriceService } from './catalogue/price-service.ts';
import type { ProviderCheckService } from './catalogue/provider-check-service.ts';
import type { ProviderConfigService } from './catalogue/provider-config-service.ts';
import type { ProviderSpecService } from './catalogue/provider-spec-service.ts';
import type { CompletionService } from './completions/completion-kind.ts';
import type { ApiKeyService } from './identity/api-key-service.ts';
import type { AuditService } from './identity/audit-service.ts';
import type { IdentityService } from './identity/identity-service.ts';
import type { SecretRotation } from './identity/secret-rotation.ts';
import type { AvailabilityService } from './routing/availability.ts';
import type { CircuitService } from './routing/circuit-service.ts';
import type { ReportService } from './routing/report-service.ts';

/** The services that a door may call. Each asserts the viewer's permission first. */
export interface Services {
  readonly identity: IdentityService;
  readonly apiKeys: ApiKeyService;
  readonly secrets: SecretRotation;
  readonly audit: AuditService;
  readonly catalogue: CatalogueService;
  readonly providerSpecs: ProviderSpecService;
  readonly providerConfigs: ProviderConfigService;
  readonly modelSpecs: ModelSpecService;
  readonly modelInstances: ModelInstanceService;
  readonly prices: PriceService;
  readonly providerChecks: ProviderCheckService;
  readonly modelSyncs: ModelSyncService;
  readonly catalogueRefreshes: CatalogueRefreshService;
  readonly availability: AvailabilityService;
  readonly circuits: CircuitService;
  readonly reports: ReportService;
  readonly accounts: AccountService;
  readonly usage: UsageService;
  readonly completions: CompletionService;
}
