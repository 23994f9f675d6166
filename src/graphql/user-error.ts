// Owns how a payload tells the caller of faults in its input, as `userErrors`.
import { Field, ObjectType } from 'type-graphql';
import { GatewayError } from '../kernel/errors.ts';

@ObjectType('UserError', {
  description: 'A fault of the input, which the caller can correct.',
  simpleResolvers: true,
})
export class UserErrorType {
  @Field(() => [String], { description: 'Path of the field within `input`.' })
  field!: string[];

  @Field(() => String, { description: 'What is wrong, and what would be right.' })
  message!: string;

  @Field(() => String, { description: 'The same as a code.' })
  code!: string;
}

const MENDABLE = new Set(['BAD_USER_INPUT', 'CONFLICT']);

/** The payload of `work`. If the input has faults, `empty` with those faults; other errors stay GraphQL errors. */
export async function asUserErrors<Payload extends { userErrors: UserErrorType[] }>(
  empty: Omit<Payload, 'userErrors'>,
  work: () => Promise<Omit<Payload, 'userErrors'>>,
): Promise<Payload> {
  try {
    return { ...(await work()), userErrors: [] as UserErrorType[] } as Payload;
  } catch (error) {
    if (!(error instanceof GatewayError) || !MENDABLE.has(error.code)) throw error;
    const problems = error.problems ?? [error];
    const userErrors = problems.map(({ path, message, code }) => ({
      field: path?.split('.') ?? [],
      message,
      code,
    }));
    return { ...empty, userErrors } as Payload;
  }
}
