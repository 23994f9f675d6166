// Owns the input of a deletion: the row and its version.
import { Field, ID, InputType, Int } from 'type-graphql';

@InputType({ description: 'The row to delete.' })
export class DeleteRowInput {
  @Field(() => ID, { description: 'The object’s id.' })
  id!: string;

  @Field(() => Int, {
    description: 'The version that you have read; if it has changed since, nothing is deleted.',
  })
  version!: number;
}
