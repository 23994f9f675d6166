// Owns the AI SDK's side of the comparison: its provider packages, installed for this run, read recorded bytes.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { RecordedCase } from '../../test/conformance/recorded-case.ts';
import { at, listAt, numberAt, textAt } from '../../test/conformance/walk.ts';

/** The AI SDK's reading of a body, in the form in which it is compared. */
export interface SdkAnswer {
  text: string;
  calls: { name: string; argumentsText: string }[];
  finish?: string;
  inputTokens?: number;
  outputTokens?: number;
  error?: string;
}

export interface AiSdk {
  /** `undefined` if no package reads the folder's protocol. */
  read(recorded: RecordedCase): Promise<SdkAnswer | undefined>;
  close(): Promise<void>;
}

const PACKAGES: Readonly<Record<string, string>> = {
  '@ai-sdk/amazon-bedrock': '5.0.101',
  '@ai-sdk/anthropic': '4.0.105',
  '@ai-sdk/azure': '4.0.85',
  '@ai-sdk/cerebras': '3.0.59',
  '@ai-sdk/cohere': '4.0.52',
  '@ai-sdk/deepseek': '3.0.56',
  '@ai-sdk/google': '4.0.121',
  '@ai-sdk/google-vertex': '5.0.141',
  '@ai-sdk/groq': '4.0.84',
  '@ai-sdk/mistral': '4.0.87',
  '@ai-sdk/openai': '4.0.118',
  '@ai-sdk/openai-compatible': '3.0.92',
  '@ai-sdk/perplexity': '4.0.49',
  '@ai-sdk/togetherai': '3.0.54',
  '@ai-sdk/xai': '5.0.12',
};

/** By folder: the package, its factory, and the method that gives the model if that is not the factory's result itself. */
const FACTORIES: Readonly<Record<string, readonly [name: string, factory: string, method?: string]>> = {
  anthropic: ['@ai-sdk/anthropic', 'createAnthropic'],
  'azure-openai': ['@ai-sdk/azure', 'createAzure', 'chat'],
  'bedrock-converse': ['@ai-sdk/amazon-bedrock', 'createAmazonBedrock'],
  cerebras: ['@ai-sdk/cerebras', 'createCerebras'],
  cohere: ['@ai-sdk/cohere', 'createCohere'],
  deepseek: ['@ai-sdk/deepseek', 'createDeepSeek'],
  gemini: ['@ai-sdk/google', 'createGoogleGenerativeAI'],
  groq: ['@ai-sdk/groq', 'createGroq'],
  mistral: ['@ai-sdk/mistral', 'createMistral'],
  'openai-chat': ['@ai-sdk/openai', 'createOpenAI', 'chat'],
  'openai-responses': ['@ai-sdk/openai', 'createOpenAI', 'responses'],
  perplexity: ['@ai-sdk/perplexity', 'createPerplexity'],
  together: ['@ai-sdk/togetherai', 'createTogetherAI'],
  vertex: ['@ai-sdk/google-vertex', 'createVertex'],
  'xai-responses': ['@ai-sdk/xai', 'createXai', 'responses'],
};
const COMPATIBLE = ['@ai-sdk/openai-compatible', 'createOpenAICompatible'] as const;
const NOT_SPOKEN = new Set(['gigachat', 'ollama-native']);

/** Installs the packages into a temporary folder; `close` removes it. */
export async function installAiSdk(): Promise<AiSdk> {
  const folder = await mkdtemp(join(tmpdir(), 'ai-sdk-'));
  await writeFile(join(folder, 'package.json'), '{"private":true}');
  const wanted = Object.entries(PACKAGES).map(([name, version]) => `${name}@${version}`);
  const quiet = ['--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'];
  await promisify(execFile)('npm', ['install', '--save-exact', ...quiet, ...wanted], { cwd: folder });
  const { resolve } = createRequire(join(folder, 'package.json'));
  return {
    async read(recorded) {
      if (NOT_SPOKEN.has(recorded.provider)) return undefined;
      const [name, factory, method] = FACTORIES[recorded.provider] ?? COMPATIBLE;
      const module = await import(pathToFileURL(resolve(name)).href);
      const provider = module[factory](settingsFor(recorded));
      return answerOf(recorded, method ? provider[method]('model') : provider('model'));
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

function settingsFor(recorded: RecordedCase): object {
  const replay = async () =>
    new Response(new Uint8Array(recorded.body), { status: recorded.status, headers: recorded.headers });
  return {
    apiKey: 'key',
    name: recorded.provider,
    region: 'us-east-1',
    baseURL: 'http://127.0.0.1',
    includeUsage: true,
    fetch: replay,
  };
}

interface SdkModel {
  doGenerate(options: object): Promise<unknown>;
  doStream(options: object): Promise<{ stream: AsyncIterable<unknown> }>;
}

async function answerOf(recorded: RecordedCase, model: SdkModel): Promise<SdkAnswer> {
  const answer: SdkAnswer = { text: '', calls: [] };
  const options = { prompt: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }] };
  try {
    if (recorded.kind === 'stream') {
      for await (const part of (await model.doStream(options)).stream) take(answer, part);
    } else {
      const result = await model.doGenerate(options);
      for (const part of listAt(result, 'content')) take(answer, part);
      take(answer, { ...(result as object), type: 'finish' });
    }
  } catch (error) {
    answer.error = String(error);
  }
  return answer;
}

function take(answer: SdkAnswer, part: unknown): void {
  const type = textAt(part, 'type');
  if (type === 'text') answer.text += textAt(part, 'text') ?? '';
  if (type === 'text-delta') answer.text += textAt(part, 'delta') ?? '';
  if (type === 'error') answer.error ??= JSON.stringify(at(part, 'error')) ?? 'error';
  if (type === 'tool-call' && at(part, 'providerExecuted') !== true) {
    answer.calls.push({ name: textAt(part, 'toolName') ?? '', argumentsText: textAt(part, 'input') ?? '' });
  }
  if (type !== 'finish') return;
  const finish = textAt(part, 'finishReason', 'unified') ?? textAt(part, 'finishReason');
  const input = numberAt(part, 'usage', 'inputTokens', 'total');
  const output = numberAt(part, 'usage', 'outputTokens', 'total');
  if (finish !== undefined) answer.finish = finish;
  if (input !== undefined) answer.inputTokens = input;
  if (output !== undefined) answer.outputTokens = output;
}
