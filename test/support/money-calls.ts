// Owns a workspace that pays: a sandbox model with a price, an account with credit, and the rules that its books must always keep.
import type { TestApp } from './app.ts';
import { type CatalogueCalls, catalogueCalls } from './catalogue-calls.ts';
import { sandboxInput } from './run-calls.ts';

/** Prices with simple arithmetic: a dollar for a million tokens of input or output. */
export const DOLLAR_PER_MILLION = { input: '1', output: '1' };

export interface PayingWorkspace {
  readonly id: string;
  readonly key: string;
  readonly calls: CatalogueCalls;
  credit(amount: string, key?: string): Promise<any>;
  account(): Promise<any>;
  /** A completion of this many tokens, with a hold for at most so many. */
  complete(over?: {
    tokens?: number;
    maxTokens?: number;
    sandbox?: object;
    input?: object;
    key?: string;
  }): Promise<any>;
}

let serial = 0;

export async function payingWorkspace(app: TestApp, price = DOLLAR_PER_MILLION): Promise<PayingWorkspace> {
  const { id, key } = await app.createWorkspace();
  const calls = catalogueCalls(app, key);
  const config = await calls.config({ name: 'Sandbox', providerKey: 'sandbox', secret: undefined });
  const canonicalId = 'sandbox/sandbox-text';
  await calls.mutate('setPrice', { canonicalId, ...price });
  await calls.instance({ slug: 'paid', configId: config.id, canonicalId, free: false });
  return {
    id,
    key,
    calls,
    async credit(amount, idempotencyKey = `credit-${++serial}`) {
      const { data, errors } = await app.graph(
        `mutation ($input: BookInput!) { creditAccount(input: $input) {
          entry { id kind amount balance description createdBy } account { balance reserved available billing }
          userErrors { field message code } } }`,
        { input: { workspaceId: id, amount, description: 'Test', idempotencyKey } },
      );
      if (errors) throw Object.assign(new Error(errors[0]?.message), errors[0]?.extensions);
      return data.creditAccount;
    },
    async account() {
      const { data, errors } = await app.graph(
        `{ account { balance reserved available billing
            entries(first: 100) { totalCount nodes { id kind amount balance completionId description createdBy } }
            budgets { caller period limit spent reserved remaining } } }`,
        {},
        key,
      );
      if (errors) throw Object.assign(new Error(errors[0]?.message), errors[0]?.extensions);
      return data.account;
    },
    async complete({ tokens = 10, maxTokens = 100, sandbox = {}, input = {}, key: caller = key } = {}) {
      const { data, errors } = await app.graph(
        `mutation ($input: CompletionInput!) { complete(input: $input) { completion {
          id status finishReason cost usage { inputTokens outputTokens } text warnings { code message } } } }`,
        {
          input: sandboxInput({ tokens, ...sandbox }, { model: 'paid', parameters: { maxTokens }, ...input }),
        },
        caller,
      );
      if (errors) throw Object.assign(new Error(errors[0]?.message), errors[0]?.extensions);
      return data.complete.completion;
    },
  };
}

/** Waits until nothing is held any more; raises an error if that does not happen. */
export async function settledAccount(workspace: PayingWorkspace): Promise<any> {
  for (let look = 0; look < 200; look += 1) {
    const account = await workspace.account();
    if (account.reserved === '0') return account;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('Something is still held');
}
