// Owns the enums that the types of the catalogue share.
import { registerEnumType } from 'type-graphql';

export enum SpecOrigin {
  BUILT_IN = 'BUILT_IN',
  SYNC = 'SYNC',
  CUSTOM = 'CUSTOM',
}
registerEnumType(SpecOrigin, {
  name: 'SpecOrigin',
  description: 'Where a row of the catalogue comes from.',
  valuesConfig: {
    BUILT_IN: { description: 'It came with Modelgraph.' },
    SYNC: { description: 'The provider listed it.' },
    CUSTOM: { description: 'Somebody made it here.' },
  },
});

export enum SetupOrigin {
  BUILT_IN = 'BUILT_IN',
  ENVIRONMENT = 'ENVIRONMENT',
  CUSTOM = 'CUSTOM',
}
registerEnumType(SetupOrigin, {
  name: 'SetupOrigin',
  description: 'Who set up a config or an instance.',
  valuesConfig: {
    BUILT_IN: { description: 'Modelgraph itself, for the sandbox.' },
    ENVIRONMENT: { description: 'Modelgraph, since the environment held a credential.' },
    CUSTOM: { description: 'Somebody made or changed it here.' },
  },
});

export enum RowOwnerKind {
  INSTALLATION = 'INSTALLATION',
  WORKSPACE = 'WORKSPACE',
}
registerEnumType(RowOwnerKind, {
  name: 'RowOwner',
  description: 'Who sees a row.',
  valuesConfig: {
    INSTALLATION: {
      description:
        'Every workspace that has no row of its own by the same name. Administrators of the installation change it.',
    },
    WORKSPACE: { description: 'Your workspace only; it hides the installation’s row of the same name.' },
  },
});

export enum HealthState {
  UNKNOWN = 'UNKNOWN',
  HEALTHY = 'HEALTHY',
  UNHEALTHY = 'UNHEALTHY',
}
registerEnumType(HealthState, {
  name: 'HealthState',
  description: 'What the last health check of a config found.',
  valuesConfig: {
    UNKNOWN: { description: 'Nobody has checked since it was made or changed.' },
    HEALTHY: { description: 'Address and credentials work.' },
    UNHEALTHY: { description: 'They do not; the error says why. Its instances are tried after others.' },
  },
});

export enum HealthFaultKind {
  BAD_CREDENTIAL = 'BAD_CREDENTIAL',
  UNREACHABLE = 'UNREACHABLE',
  BAD_CERTIFICATE = 'BAD_CERTIFICATE',
  TIMEOUT = 'TIMEOUT',
  RATE_LIMITED = 'RATE_LIMITED',
  BAD_SETTINGS = 'BAD_SETTINGS',
  OTHER = 'OTHER',
}
registerEnumType(HealthFaultKind, {
  name: 'HealthFault',
  description: 'What kind of thing a health check found wrong.',
  valuesConfig: {
    BAD_CREDENTIAL: { description: 'The provider refused the credential.' },
    UNREACHABLE: { description: 'No connection came about, or the provider is down.' },
    BAD_CERTIFICATE: { description: 'The certificate of the address is not trusted.' },
    TIMEOUT: { description: 'No answer came in time.' },
    RATE_LIMITED: { description: 'The provider asked for quiet.' },
    BAD_SETTINGS: { description: 'The config lacks something, or its protocol is not spoken here.' },
    OTHER: { description: 'Something else; the error says what.' },
  },
});

export enum SortDirection {
  ASC = 'ASC',
  DESC = 'DESC',
}
registerEnumType(SortDirection, { name: 'SortDirection', description: 'Smallest or largest first.' });
