// Owns the Node interface: every object with a global id.
import { Field, ID, InterfaceType } from 'type-graphql';
import { readGlobalId } from './global-id.ts';

@InterfaceType('Node', {
  description: 'An object with a global id, by which `node(id)` finds it.',
  resolveType: (value: NodeType) => readGlobalId(value.id)?.type,
})
export abstract class NodeType {
  @Field(() => ID, { description: 'Opaque id, unique in the whole graph.' })
  id!: string;
}
