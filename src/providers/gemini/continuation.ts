// Owns the data of a Gemini answer that must be sent back with it: which part had which signature, and which call had which id.
import { z } from 'zod';
import type { JsonValue } from '../../kernel/json.ts';
import type { GeminiPart } from './wire.ts';

const stepSchema = z.discriminatedUnion('kind', [
  /** The next `length` UTF-16 units of the answer's text. */
  z.object({ kind: z.literal('text'), length: z.int().min(0), signature: z.string().optional() }),
  /** The next tool call; `id` only where Gemini gave one. */
  z.object({ kind: z.literal('call'), id: z.string().optional(), signature: z.string().optional() }),
  z.object({ kind: z.literal('thought'), text: z.string(), signature: z.string() }),
  /** A part of the provider's own tools (code execution, search), verbatim. */
  z.object({ kind: z.literal('part'), part: z.record(z.string(), z.json()) }),
]);

const continuationSchema = z.object({ steps: z.array(stepSchema) });

export type ContinuationStep = z.output<typeof stepSchema>;

type PassedPart = Extract<ContinuationStep, { kind: 'part' }>['part'];

/** The steps that `finish` gave earlier; `undefined` if there are none, or another protocol made them. */
export function readContinuation(value: JsonValue | undefined): readonly ContinuationStep[] | undefined {
  const result = continuationSchema.safeParse(value);
  return result.success ? result.data.steps : undefined;
}

/** Records the parts of one answer as they arrive. */
export class ContinuationRecorder {
  readonly #steps: ContinuationStep[] = [];

  text(text: string, signature: string | undefined): void {
    const last = this.#steps.at(-1);
    // A part with a signature must not be merged with another: https://ai.google.dev/gemini-api/docs/thought-signatures
    if (signature === undefined && last?.kind === 'text' && last.signature === undefined) {
      last.length += text.length;
    } else if (text !== '' || signature !== undefined) {
      this.#steps.push({ kind: 'text', length: text.length, ...signed(signature) });
    }
  }

  thought(text: string, signature: string | undefined): void {
    if (signature !== undefined) this.#steps.push({ kind: 'thought', text, signature });
  }

  call(id: string | undefined, signature: string | undefined): void {
    this.#steps.push({ kind: 'call', ...(id === undefined ? {} : { id }), ...signed(signature) });
  }

  part(part: GeminiPart): void {
    this.#steps.push({ kind: 'part', part: part as PassedPart });
  }

  /** `undefined` if the message alone holds everything. */
  result(): JsonValue | undefined {
    const needed = this.#steps.some(
      (step) =>
        step.kind === 'part' ||
        step.signature !== undefined ||
        (step.kind === 'call' && step.id !== undefined),
    );
    return needed ? ({ steps: this.#steps } as JsonValue) : undefined;
  }
}

function signed(signature: string | undefined): { signature?: string } {
  return signature === undefined ? {} : { signature };
}
