import { expect, test } from 'vitest';
import { RunDrain } from '../../../src/domain/runs/run-drain.ts';
import { RunService } from '../../../src/domain/runs/run-service.ts';
import { GatewayError } from '../../../src/kernel/errors.ts';
import { completionKind } from '../../support/kinds.ts';
import { sandboxInput } from '../../support/run-calls.ts';

const VIEWER = {
  workspaceId: 'w',
  caller: 'key:1',
  scopes: new Set(['run']),
  installationAdmin: false,
} as any;

test.each(['complete', 'start', 'stream'] as const)(
  '%s begins no run for a caller that has gone already',
  async (call) => {
    let begun = 0;
    const begin = async () => {
      begun += 1;
      throw new Error('it was begun');
    };
    const service = new RunService(completionKind, {
      starter: { begin },
      drain: new RunDrain({} as any),
    } as any);
    const gone = AbortSignal.abort(new GatewayError('CANCELLED', 'The caller has gone'));
    const context = { requestId: 'r', gone };
    await expect(service[call](VIEWER, sandboxInput() as any, context)).rejects.toThrow(
      'The caller has gone',
    );
    expect(begun).toBe(0);
  },
);
