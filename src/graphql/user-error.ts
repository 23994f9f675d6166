// Owns how a payload tells the caller what it can mend.
import { Field, ObjectType } from 'type-graphql';

/** One thing that the caller can mend, as a service tells it. */
export interface UserError {
  /** Path within the input, e.g. `["defaultParameters", "temperature"]`. */
  readonly field: readonly string[];
  /** What is wrong, and what would be right. */
  readonly message: string;
  readonly code: string;
}

@ObjectType('UserError', { description: 'Something in the input that you can mend.', simpleResolvers: true })
export class UserErrorType {
  @Field(() => [String], { description: 'Path of the field within `input`.' })
  field!: string[];

  @Field(() => String, { description: 'What is wrong, and what would be right.' })
  message!: string;

  @Field(() => String, { description: 'The same as a code.' })
  code!: string;
}
