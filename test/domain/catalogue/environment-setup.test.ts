import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { setUpFromEnvironment } from '../../../src/domain/catalogue/environment-setup.ts';
import { type Logger, silentLogger } from '../../../src/kernel/logger.ts';
import { describeEachDatabase } from '../../support/databases.ts';
import { type Environment, openSetup, type Setup } from '../../support/setup-node.ts';

describeEachDatabase('what is set up at start', (kind) => {
  let setup: Setup;
  let workspaceId: string;
  beforeAll(async () => {
    setup = await openSetup(kind);
  });
  beforeEach(async () => {
    workspaceId = await setup.createWorkspace();
  });
  const configs = () => setup.configs(workspaceId);
  const slugs = () => setup.slugs(workspaceId);
  async function start(environment: Environment, sandbox = false, logger?: Logger) {
    const node = await setup.startNode(environment, logger);
    await setUpFromEnvironment({ ...node, sandbox }, workspaceId);
    return node.catalogueOf(workspaceId);
  }

  describe('environment', () => {
    test('a credential in the environment makes a config with the secret by reference, and the settings and the address of the variables', async () => {
      const catalogue = await start({
        ACME_TOKEN: 'sk-1',
        ACME_REGION: 'north',
        ACME_BASE_URL: 'http://127.0.0.1:8/v1',
      });
      expect(await configs()).toEqual([
        {
          name: 'acme',
          base_url: 'http://127.0.0.1:8/v1',
          secret: { env: 'ACME_TOKEN' },
          settings: { region: 'north' },
          enabled: true,
          origin: 'ENVIRONMENT',
          version: 1,
        },
      ]);
      // It is in force at once on the node that made it.
      expect([...catalogue.instancesBySlug.keys()]).toContain('chosen');
    });

    test('a config from the environment has instances of the default model and of the newest that call tools, five in all', async () => {
      await start({ ACME_API_KEY: 'sk-1' });
      expect(await slugs()).toEqual(['chosen', 'y1', 'y2', 'y3-large', 'y4']);
    });

    test('an instance set up from the environment takes the canonical id as slug where the key is taken', async () => {
      await start({ ACME_API_KEY: 'sk-1', NEEDY_API_KEY: 'sk-2', NEEDY_RESOURCE: 'r' });
      expect(await slugs()).toEqual(['chosen', 'needy-y1', 'y1', 'y2', 'y3-large', 'y4']);
    });

    test('the set-up from the environment writes nothing when it is there already', async () => {
      await start({ ACME_API_KEY: 'sk-1' }, true);
      const before = await setup.revision();
      await start({ ACME_API_KEY: 'another value' }, true);
      expect(await setup.revision()).toEqual(before);
    });

    test('a config from the environment follows the variables at each start', async () => {
      await start({ ACME_API_KEY: 'sk-1', ACME_REGION: 'north' });
      await start({ ACME_TOKEN: 'sk-1', ACME_REGION: 'south', ACME_BASE_URL: 'https://proxy.example' });
      expect(await configs()).toMatchObject([
        {
          secret: { env: 'ACME_TOKEN' },
          settings: { region: 'south' },
          base_url: 'https://proxy.example',
          version: 2,
        },
      ]);
    });

    test('a config from the environment is switched off when the variable is gone or empty, and on again when it is back', async () => {
      await start({ ACME_API_KEY: 'sk-1' });
      await start({ ACME_API_KEY: ' ' });
      expect(await configs()).toMatchObject([{ enabled: false, version: 2 }]);
      const before = await setup.revision();
      await start({});
      expect(await setup.revision()).toEqual(before);
      await start({ ACME_API_KEY: 'sk-1' });
      expect(await configs()).toMatchObject([{ enabled: true, origin: 'ENVIRONMENT', version: 3 }]);
      expect(await slugs()).toHaveLength(5);
    });

    test('the set-up from the environment leaves alone what somebody has changed, and what somebody made by the same name', async () => {
      await start({ ACME_API_KEY: 'sk-1' });
      await setup.query(
        `update provider_config set origin = 'CUSTOM', base_url = 'https://mine.example', enabled = false where workspace_id = $1`,
        [workspaceId],
      );
      const mine = await configs();
      await start({ ACME_API_KEY: 'sk-1', ACME_REGION: 'south' });
      expect(await configs()).toEqual(mine);
      await start({});
      expect(await configs()).toEqual(mine);
    });

    test('the set-up from the environment does not bring back an instance that somebody deleted', async () => {
      await start({ ACME_API_KEY: 'sk-1' });
      await setup.query(`delete from model_instance where workspace_id = $1 and slug = 'y1'`, [workspaceId]);
      await start({ ACME_API_KEY: 'sk-1', ACME_REGION: 'south' });
      expect(await slugs()).toEqual(['chosen', 'y2', 'y3-large', 'y4']);
    });

    test('a provider is skipped by the set-up from the environment where a required setting is missing, with one line that names its variable', async () => {
      const lines: object[] = [];
      const logger: Logger = { ...silentLogger, warn: (fields) => lines.push(fields) };
      await start({ NEEDY_API_KEY: 'sk-canary' }, false, logger);
      expect(await configs()).toEqual([]);
      expect(lines).toEqual([{ provider: 'needy', variable: 'NEEDY_API_KEY', missing: ['NEEDY_RESOURCE'] }]);
    });

    test('the set-up from the environment is made once by two nodes that start together', async () => {
      await Promise.all([start({ ACME_API_KEY: 'sk-1' }, true), start({ ACME_API_KEY: 'sk-1' }, true)]);
      expect(await configs()).toMatchObject([{ name: 'acme' }, { name: 'sandbox' }]);
      expect(await slugs()).toHaveLength(7);
    });
  });

  describe('sandbox', () => {
    test('the sandbox has a config with an instance for each of its models while it is on', async () => {
      await start({}, true);
      expect(await configs()).toMatchObject([{ name: 'sandbox', origin: 'BUILT_IN', secret: null }]);
      expect(await slugs()).toEqual(['sandbox-text', 'sandbox-tools']);
      await start({}, false);
      expect(await configs()).toMatchObject([{ enabled: false }]);
      await start({}, true);
      expect(await configs()).toMatchObject([{ enabled: true }]);
    });

    test('the sandbox stays off where somebody switched it off', async () => {
      await start({}, true);
      await setup.query(
        `update provider_config set origin = 'CUSTOM', enabled = false, version = 2 where workspace_id = $1`,
        [workspaceId],
      );
      await start({}, true);
      expect(await configs()).toMatchObject([{ enabled: false, version: 2 }]);
    });

    test('nothing is set up of the sandbox where it has never been on', async () => {
      await start({});
      expect(await configs()).toEqual([]);
    });
  });
});
