// Owns the queries and mutations of accounts and budgets.
import type { GraphQLResolveInfo } from 'graphql';
import { Arg, Args, Ctx, FieldResolver, ID, Info, Mutation, Query, Resolver, Root } from 'type-graphql';
import type { Booking, LedgerEntryRow } from '../../domain/billing/account-service.ts';
import { type Connection, ConnectionArgs, connectByTime, isCounter } from '../connection.ts';
import type { GraphContext } from '../context.ts';
import { parseGlobalId, requireGlobalId } from '../global-id.ts';
import { asUserErrors } from '../user-error.ts';
import { BookInput, SetBudgetInput } from './account.input.ts';
import {
  AccountType,
  BudgetPayload,
  BudgetType,
  LedgerEntryConnection,
  LedgerEntryPayload,
  type LedgerEntryType,
  toAccountType,
  toBudgetType,
  toLedgerEntryType,
} from './account.type.ts';

@Resolver(() => AccountType)
export class AccountResolver {
  @Query(() => AccountType, {
    description:
      'The account of your workspace; needs scope READ. Administrators of the installation may read the account of any workspace.',
  })
  async account(
    @Ctx() { viewer, services }: GraphContext,
    @Arg('workspaceId', () => ID, { nullable: true, description: 'Id of the workspace. Default: yours.' })
    workspaceId?: string,
  ): Promise<AccountType> {
    const id = workspaceId == null ? undefined : requireGlobalId('Workspace', workspaceId);
    return toAccountType(await services.accounts.account(viewer, id), services.accounts.billing);
  }

  @Mutation(() => LedgerEntryPayload, {
    description:
      'Adds money to an account, once for each idempotency key. For administrators of the installation.',
  })
  creditAccount(
    @Ctx() context: GraphContext,
    @Arg('input', () => BookInput) input: BookInput,
  ): Promise<LedgerEntryPayload> {
    return book(context, input, (booking) => context.services.accounts.credit(context.viewer, booking));
  }

  @Mutation(() => LedgerEntryPayload, {
    description:
      'Corrects the balance of an account, up or down, once for each idempotency key. For administrators of the installation.',
  })
  adjustAccount(
    @Ctx() context: GraphContext,
    @Arg('input', () => BookInput) input: BookInput,
  ): Promise<LedgerEntryPayload> {
    return book(context, input, (booking) => context.services.accounts.adjust(context.viewer, booking));
  }

  @Mutation(() => BudgetPayload, {
    description:
      'Sets, changes or removes a budget. Budgets apply whether BILLING is on or off. Needs scope ADMIN.',
  })
  setBudget(
    @Ctx() { viewer, services }: GraphContext,
    @Arg('input', () => SetBudgetInput) { apiKeyId, subject, period, limit }: SetBudgetInput,
  ): Promise<BudgetPayload> {
    return asUserErrors<BudgetPayload>({ budget: null }, async () => {
      const budget = await services.accounts.setBudget(viewer, {
        ...(apiKeyId == null ? {} : { apiKeyId: requireGlobalId('ApiKey', apiKeyId) }),
        ...(subject == null ? {} : { subject }),
        period,
        limitNano: limit ?? null,
      });
      return { budget: budget && toBudgetType(budget) };
    });
  }

  @FieldResolver(() => LedgerEntryConnection, { description: 'Its ledger, the latest entry first.' })
  async entries(
    @Root() account: AccountType,
    @Ctx() { viewer, services }: GraphContext,
    @Args(() => ConnectionArgs) args: ConnectionArgs,
    @Info() info: GraphQLResolveInfo,
  ): Promise<Connection<LedgerEntryType>> {
    const workspaceId = parseGlobalId('Workspace', account.workspaceId) ?? '';
    return connectByTime(args, info, {
      isId: isCounter,
      list: (page) => services.accounts.entries(viewer, workspaceId, page),
      count: () => services.accounts.countEntries(viewer, workspaceId),
      node: toLedgerEntryType,
    });
  }

  @FieldResolver(() => [BudgetType], {
    description: 'Its budgets, with what was used of each in the present period.',
  })
  async budgets(
    @Root() account: AccountType,
    @Ctx() { viewer, services }: GraphContext,
  ): Promise<BudgetType[]> {
    const workspaceId = parseGlobalId('Workspace', account.workspaceId) ?? '';
    return (await services.accounts.budgets(viewer, workspaceId)).map(toBudgetType);
  }
}

function book(
  { viewer, services }: GraphContext,
  { workspaceId, amount, description, idempotencyKey }: BookInput,
  write: (booking: Booking) => Promise<LedgerEntryRow>,
): Promise<LedgerEntryPayload> {
  return asUserErrors<LedgerEntryPayload>({ entry: null, account: null }, async () => {
    const own = workspaceId == null ? {} : { workspaceId: requireGlobalId('Workspace', workspaceId) };
    const entry = await write({ ...own, amountNano: amount, description, idempotencyKey });
    const account = await services.accounts.account(viewer, entry.workspaceId);
    return { entry: toLedgerEntryType(entry), account: toAccountType(account, services.accounts.billing) };
  });
}
