// Owns the input of a deletion: the row and its version.
import { Field, ID, InputType, Int } from 'type-graphql';

@InputType({ description: 'What to delete.' })
export class DeleteRowInput {
  @Field(() => ID, { description: 'Its id.' })
  id!: string;

  @Field(() => Int, { description: 'The version that you have seen.' })
  version!: number;
}
