import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

const PROVIDERS = 'src/providers';

/** Folders that are no protocol: what several protocols share, and the sandbox, which answers without a wire. */
const NO_PROTOCOLS = ['claude', 'contract', 'http', 'sandbox', 'shared', 'vertex'];

/** The files of a wire protocol, each with the name under which its main export is found in every folder. `X` is the folder's name in capitals. */
const FILES: Readonly<Record<string, RegExp>> = {
  'adapter.ts': /^export function create(?<X>\w+)Adapter\(/m,
  'stream.ts': /^export async function\* streamAnswer\(/m,
  'encode.ts': /^export function encodeRequest\(/m,
  'decode.ts': /^export class (?<X>\w+)Decoder implements AnswerDecoder</m,
  'unsupported.ts': /^export function unsupportedBy\(request: ProviderRequest\): Unsupported\[\] \{/m,
  'errors.ts': /^export async function faultOfAnswer\(\s*response: UpstreamResponse,/m,
  'models.ts': /^export async function listModels\(/m,
  'quirks.ts': /^export (function quirksOf\(|const quirksSchema\b)/m,
  'option-rules.ts': /^export const OPTION_RULES: OptionRules\b/m,
  'wire.ts': /^export /m,
};

const protocols = readdirSync(PROVIDERS, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !NO_PROTOCOLS.includes(entry.name))
  .map(({ name }) => name);

/** The protocol whose requests and answers the folder uses at another address; `undefined` where it has its own. */
function hostedBy(folder: string): string | undefined {
  const text = readFileSync(join(PROVIDERS, folder, 'adapter.ts'), 'utf8');
  return protocols.find((other) => text.includes(`from '../${other}/stream.ts'`));
}

describe.each(protocols.filter((folder) => hostedBy(folder) === undefined))(
  'the wire protocol %s',
  (folder) => {
    test.each(Object.keys(FILES))(
      'the folder of a wire protocol has %s, with the export that every protocol has there',
      (file) => {
        const found = FILES[file]?.exec(readFileSync(join(PROVIDERS, folder, file), 'utf8'));
        expect(found).not.toBeNull();
        const name = found?.groups?.X;
        if (name !== undefined) expect(name.toLowerCase()).toBe(folder.replaceAll('-', ''));
      },
    );
  },
);

describe.each(protocols.filter((folder) => hostedBy(folder) !== undefined))('the host %s', (folder) => {
  test('a host of another’s protocol has an adapter of its own, and reads no answers by itself', () => {
    const files = readdirSync(join(PROVIDERS, folder));
    expect(files).toContain('adapter.ts');
    expect(files).not.toContain('stream.ts');
    expect(files).not.toContain('decode.ts');
    expect(files).not.toContain('wire.ts');
  });
});

test.each(protocols)('the protocol folder %s is named as the protocol that its adapter speaks', (folder) => {
  expect(readFileSync(join(PROVIDERS, folder, 'adapter.ts'), 'utf8')).toContain(`protocol: '${folder}',`);
});
