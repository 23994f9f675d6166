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
    CUSTOM: { description: 'A person made it.' },
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
    ENVIRONMENT: { description: 'Modelgraph, because the environment held a credential.' },
    CUSTOM: { description: 'A person made or changed it.' },
  },
});

export enum RowOwnerKind {
  INSTALLATION = 'INSTALLATION',
  WORKSPACE = 'WORKSPACE',
}
registerEnumType(RowOwnerKind, {
  name: 'RowOwner',
  description: 'The owner of a row, which decides who sees it.',
  valuesConfig: {
    INSTALLATION: {
      description:
        'The installation: every workspace sees the row unless it has one of its own by the same name. Administrators of the installation change it.',
    },
    WORKSPACE: {
      description:
        'Your workspace, which alone sees the row; it hides the installation’s row of the same name.',
    },
  },
});

export enum HealthState {
  UNKNOWN = 'UNKNOWN',
  HEALTHY = 'HEALTHY',
  UNHEALTHY = 'UNHEALTHY',
}
registerEnumType(HealthState, {
  name: 'HealthState',
  description: 'The result of the last health check of a config.',
  valuesConfig: {
    UNKNOWN: { description: 'It was not checked since it was made or changed.' },
    HEALTHY: { description: 'Address and credentials work.' },
    UNHEALTHY: {
      description: 'They do not work; the error says why. Instances of this config are called after others.',
    },
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
  description: 'The kind of fault that a health check found.',
  valuesConfig: {
    BAD_CREDENTIAL: { description: 'The provider refused the credential.' },
    UNREACHABLE: { description: 'No connection could be made, or the provider is down.' },
    BAD_CERTIFICATE: { description: 'The certificate of the address is not trusted.' },
    TIMEOUT: { description: 'No answer came in time.' },
    RATE_LIMITED: { description: 'The provider refused the call because of a rate limit.' },
    BAD_SETTINGS: {
      description: 'A setting of the config is missing, or this gateway has no adapter for its protocol.',
    },
    OTHER: { description: 'Another fault; the error says which.' },
  },
});

export enum SortDirection {
  ASC = 'ASC',
  DESC = 'DESC',
}
registerEnumType(SortDirection, { name: 'SortDirection', description: 'Smallest or largest first.' });
