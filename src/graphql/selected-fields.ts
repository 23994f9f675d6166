// Owns which fields an operation asks for below a field, so that costly ones are read only then.
import { type GraphQLResolveInfo, Kind, type SelectionSetNode } from 'graphql';

/** True if a field with one of the names is selected, at any depth and in fragments too. */
export function selectsAny({ fieldNodes, fragments }: GraphQLResolveInfo, names: readonly string[]): boolean {
  const seen = new Set<string>();
  const selects = (set: SelectionSetNode | undefined): boolean =>
    set?.selections.some((selection) => {
      if (selection.kind === Kind.FRAGMENT_SPREAD) {
        const { value } = selection.name;
        if (seen.has(value)) return false;
        seen.add(value);
        return selects(fragments[value]?.selectionSet);
      }
      if (selection.kind === Kind.FIELD && names.includes(selection.name.value)) return true;
      return selects(selection.selectionSet);
    }) ?? false;
  return fieldNodes.some(({ selectionSet }) => selects(selectionSet));
}
