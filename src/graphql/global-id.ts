// Owns the opaque ids of the graph: base64url of `<type>:<uuid>`.
import { GatewayError } from '../kernel/errors.ts';
import { isUuid } from '../kernel/ids.ts';

export type NodeTypeName =
  | 'Workspace'
  | 'ApiKey'
  | 'ProviderSpec'
  | 'ProviderConfig'
  | 'ModelSpec'
  | 'ModelInstance'
  | 'ModelSync'
  | 'PriceVersion'
  | 'Completion';

export function toGlobalId(type: NodeTypeName, id: string): string {
  return Buffer.from(`${type}:${id}`).toString('base64url');
}

/** Type and row id, in the lower case in which ids are stored; `undefined` if the text is not an id of this graph. */
export function readGlobalId(globalId: string): { readonly type: string; readonly id: string } | undefined {
  const [type = '', id = ''] = Buffer.from(globalId, 'base64url').toString().split(':');
  return isUuid(id) ? { type, id: id.toLowerCase() } : undefined;
}

/** The row id, if the global id is one of this type. */
export function parseGlobalId(type: NodeTypeName, globalId: string): string | undefined {
  const parsed = readGlobalId(globalId);
  return parsed?.type === type ? parsed.id : undefined;
}

/** The row id; raises `NOT_FOUND` for a text that is not an id of this type. */
export function requireGlobalId(type: NodeTypeName, globalId: string): string {
  const id = parseGlobalId(type, globalId);
  if (id === undefined) throw new GatewayError('NOT_FOUND', `There is no ${type} with this id`);
  return id;
}
