// Owns texts of simple regular expressions: it makes one that matches, and says whether one matches, both in a bounded number of steps.
import { type PatternNode, PatternNotSimple, type RepeatNode } from './pattern-reader.ts';

/** Longer texts are neither made nor matched: matching takes a stack frame or more for each character. */
const MAX_TEXT = 1000;
const MAX_STEPS = 100_000;
const ALPHABET = [...'abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ -_./:@,;!?#%&+*()'];

/** A text of at least `minLength` characters that the pattern likely matches, another for another variant; `undefined` where it would be too long. */
export function textOfPattern(pattern: PatternNode, minLength: number, variant: number): string | undefined {
  const least = leastLength(pattern);
  if (minLength > MAX_TEXT || least > MAX_TEXT) return undefined;
  return textOf(pattern, { count: minLength - least }, variant);
}

/** Whether the pattern is found in the text. Raises `PatternNotSimple` where that takes too many steps. */
export function matchesPattern(pattern: PatternNode, text: string): boolean {
  const characters = [...text];
  const walk = { characters, steps: 0 };
  if (characters.length > MAX_TEXT) throw new PatternNotSimple('the text is too long for it');
  try {
    return [...characters, ''].some((_character, from) => matchAt(pattern, from, walk, () => true));
  } catch (error) {
    if (error instanceof RangeError) throw new PatternNotSimple('it is nested too deeply', { cause: error });
    throw error;
  }
}

function leastLength(node: PatternNode): number {
  if (node.kind === 'set') return 1;
  if (node.kind === 'sequence') return node.nodes.reduce((sum, part) => sum + leastLength(part), 0);
  if (node.kind === 'choice') return Math.min(...node.nodes.map(leastLength));
  return node.kind === 'repeat' ? node.min * leastLength(node.node) : 0;
}

function textOf(node: PatternNode, lacking: { count: number }, variant: number): string {
  if (node.kind === 'set') {
    const members = [...ALPHABET, ...node.samples].filter(node.has);
    return members[variant % members.length] ?? '';
  }
  if (node.kind === 'sequence') return node.nodes.map((part) => textOf(part, lacking, variant)).join('');
  if (node.kind === 'choice') {
    const shortest = node.nodes.toSorted((one, other) => leastLength(one) - leastLength(other));
    return textOf(shortest[variant % shortest.length] as PatternNode, lacking, variant);
  }
  if (node.kind === 'start' || node.kind === 'end') return '';
  const texts = Array.from({ length: node.min }, () => textOf(node.node, lacking, variant));
  while (lacking.count > 0 && texts.length < node.max) {
    const text = textOf(node.node, { count: 0 }, variant);
    if (text === '') break;
    texts.push(text);
    lacking.count -= text.length;
  }
  return texts.join('');
}

interface Walk {
  readonly characters: readonly string[];
  steps: number;
}

function matchAt(node: PatternNode, at: number, walk: Walk, then: (at: number) => boolean): boolean {
  walk.steps += 1;
  if (walk.steps > MAX_STEPS) throw new PatternNotSimple('it takes too many steps');
  const { characters } = walk;
  if (node.kind === 'set')
    return at < characters.length && node.has(characters[at] as string) && then(at + 1);
  if (node.kind === 'start') return at === 0 && then(at);
  if (node.kind === 'end') return at === characters.length && then(at);
  if (node.kind === 'choice') return node.nodes.some((branch) => matchAt(branch, at, walk, then));
  if (node.kind === 'repeat') return matchRepeat(node, at, walk, then);
  const from = (place: number, here: number): boolean => {
    const part = node.nodes[place];
    return part ? matchAt(part, here, walk, (next) => from(place + 1, next)) : then(here);
  };
  return from(0, at);
}

function matchRepeat(
  { node, min, max }: RepeatNode,
  at: number,
  walk: Walk,
  then: (at: number) => boolean,
): boolean {
  if (node.kind === 'set') {
    let end = at;
    while (end - at < max && end < walk.characters.length && node.has(walk.characters[end] as string))
      end += 1;
    for (; end - at >= min; end -= 1) if (then(end)) return true;
    return false;
  }
  const more = (count: number, here: number): boolean => {
    // What matched nothing once does so as often as the pattern wants.
    const again = (next: number) => (next > here ? more(count + 1, next) : count < min && then(next));
    return (count < max && matchAt(node, here, walk, again)) || (count >= min && then(here));
  };
  return more(0, at);
}
