// Owns the properties of a Claude model's generation, taken from its name, for rows that do not state them; Messages and Converse share it.
// https://platform.claude.com/docs/en/about-claude/models/overview

export type EffortLevel = 'low' | 'medium' | 'high' | 'xhigh' | 'max';
export type ReasoningOff = 'omit' | 'disabled' | 'between-tools' | 'never';
export type Sampling = 'full' | 'temperature-or-top-p' | 'fixed';

export interface ClaudeTraits {
  readonly reasoning: 'none' | 'budget' | 'adaptive';
  readonly reasoningOff: ReasoningOff;
  readonly effortLevels: readonly EffortLevel[];
  readonly boundThinking: boolean;
  readonly sampling: Sampling;
  readonly forcedToolChoice: boolean;
  readonly nativeSchema: boolean;
  readonly prefill: boolean;
  readonly systemTurns: boolean;
}

/** `claude-opus-4-1-20250805`, `us.anthropic.claude-sonnet-4-5-20250929-v1:0`, `claude-sonnet-4@20250514`, `claude-opus-4.6`. */
const CURRENT_NAME = /claude-(opus|sonnet|haiku|fable|mythos)-(?:(\d{1,2})(?!\d)(?:[-.](\d)(?!\d))?|preview)/;
/** `claude-3-5-haiku-20241022`, `claude-3.7-sonnet`, `claude-2.1`, `claude-instant-1.2`. */
const EARLY_NAME = /claude-(?:instant-)?(?:v)?(\d)(?:[-.:](\d)(?!\d))?/;

/** `undefined` for a model that is not Claude. */
export function claudeTraits(modelKey: string): ClaudeTraits | undefined {
  const named = generationOf(modelKey);
  return named && traitsOf(named.family, named.version);
}

function generationOf(modelKey: string): { family: string; version: number } | undefined {
  const current = CURRENT_NAME.exec(modelKey);
  if (current) {
    const [, family = '', major = '5', minor = '0'] = current;
    return { family, version: Number(`${major}.${minor}`) };
  }
  const early = EARLY_NAME.exec(modelKey);
  if (early) return { family: 'claude', version: Number(`${early[1]}.${early[2] ?? '0'}`) };
  return undefined;
}

function traitsOf(family: string, version: number): ClaudeTraits {
  const unbridled = family === 'fable' || family === 'mythos';
  return {
    reasoning: version < 3.7 ? 'none' : version < 4.6 ? 'budget' : 'adaptive',
    reasoningOff: reasoningOffOf(family, version, unbridled),
    effortLevels:
      version < 4.7 ? ['low', 'medium', 'high', 'max'] : ['low', 'medium', 'high', 'xhigh', 'max'],
    boundThinking: version >= 5.5 || (family === 'fable' && version >= 5.1),
    sampling: version < 4 ? 'full' : version < 4.7 ? 'temperature-or-top-p' : 'fixed',
    forcedToolChoice: version < (unbridled ? 5.1 : 5.5),
    nativeSchema: version >= 4.5,
    prefill: version < 4.6,
    // https://platform.claude.com/docs/en/build-with-claude/mid-conversation-system-messages
    systemTurns: version >= 4.8,
  };
}

function reasoningOffOf(family: string, version: number, unbridled: boolean): ReasoningOff {
  if (version < 5) return 'omit';
  if (unbridled) return 'never';
  if (version < 5.5) return 'disabled';
  return family === 'sonnet' ? 'between-tools' : 'never';
}
