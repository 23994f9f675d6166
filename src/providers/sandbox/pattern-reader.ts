// Owns reading the simple regular expressions of JSON Schema into a tree: literals, sets, groups, choices, repetitions and the two anchors.

/** What a pattern asks for is not one of the simple forms that the sandbox reads. */
export class PatternNotSimple extends Error {}

export type PatternNode =
  | SetNode
  | { readonly kind: 'sequence'; readonly nodes: readonly PatternNode[] }
  | { readonly kind: 'choice'; readonly nodes: readonly PatternNode[] }
  | RepeatNode
  | { readonly kind: 'start' }
  | { readonly kind: 'end' };
interface SetNode {
  readonly kind: 'set';
  readonly has: (character: string) => boolean;
  /** Characters that the pattern names itself; more may be in the set. */
  readonly samples: readonly string[];
}
export interface RepeatNode {
  readonly kind: 'repeat';
  readonly node: PatternNode;
  readonly min: number;
  readonly max: number;
}

const MAX_PATTERN = 1000;
const MAX_NESTING = 50;
const LINE_ENDS = '\n\r\u2028\u2029';
const CONTROLS: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f', v: '\v', '0': '\0' };
const CLASSES: Readonly<Record<string, RegExp>> = {
  d: /\d/u,
  D: /\D/u,
  w: /\w/u,
  W: /\W/u,
  s: /\s/u,
  S: /\S/u,
};

/** Reads literals, sets, groups, choices, repetitions and the two anchors. Raises `PatternNotSimple` for anything else. */
export function parsePattern(source: string): PatternNode {
  if (source.length > MAX_PATTERN) throw new PatternNotSimple(`it is longer than ${MAX_PATTERN} characters`);
  const reader = new PatternReader(source);
  const node = reader.choice(0);
  if (!reader.atEnd) throw new PatternNotSimple('its parentheses do not match');
  return node;
}

class PatternReader {
  readonly #characters: readonly string[];
  #at = 0;

  constructor(source: string) {
    this.#characters = [...source];
  }

  get atEnd(): boolean {
    return this.#at >= this.#characters.length;
  }

  choice(nesting: number): PatternNode {
    if (nesting > MAX_NESTING) throw new PatternNotSimple('its groups are nested too deeply');
    const nodes = [this.#sequence(nesting)];
    while (this.#take('|')) nodes.push(this.#sequence(nesting));
    return nodes.length === 1 ? (nodes[0] as PatternNode) : { kind: 'choice', nodes };
  }

  #sequence(nesting: number): PatternNode {
    const nodes: PatternNode[] = [];
    while (!this.atEnd && this.#peek() !== '|' && this.#peek() !== ')') {
      nodes.push(this.#repeated(this.#atom(nesting)));
    }
    return { kind: 'sequence', nodes };
  }

  #atom(nesting: number): PatternNode {
    const character = this.#next();
    if (character === '^') return { kind: 'start' };
    if (character === '$') return { kind: 'end' };
    if (character === '.') return setOf((other) => !LINE_ENDS.includes(other));
    if (character === '[') return this.#set();
    if (character === '\\') return this.#escape();
    if (character !== '(') return literal(character);
    if (this.#take('?')) this.#groupKind();
    const node = this.choice(nesting + 1);
    if (!this.#take(')')) throw new PatternNotSimple('a group is not closed');
    return node;
  }

  #groupKind(): void {
    if (this.#take(':')) return;
    if (!this.#take('<') || '=!'.includes(this.#peek()))
      throw new PatternNotSimple('it looks ahead or behind');
    while (this.#next() !== '>');
  }

  #repeated(node: PatternNode): PatternNode {
    const [min, max] = this.#bounds() ?? [1, 1];
    if (min === 1 && max === 1) return node;
    this.#take('?');
    return { kind: 'repeat', node, min, max };
  }

  #bounds(): readonly [number, number] | undefined {
    if (this.#take('*')) return [0, Number.POSITIVE_INFINITY];
    if (this.#take('+')) return [1, Number.POSITIVE_INFINITY];
    if (this.#take('?')) return [0, 1];
    if (!this.#take('{')) return undefined;
    let text = '';
    for (let next = this.#next(); next !== '}'; next = this.#next()) text += next;
    const found = /^(\d{1,9})(,(\d{0,9}))?$/.exec(text);
    if (!found) throw new PatternNotSimple(`it has {${text}}`);
    const min = Number(found[1]);
    if (found[2] === undefined) return [min, min];
    return [min, found[3] === '' ? Number.POSITIVE_INFINITY : Number(found[3])];
  }

  #set(): SetNode {
    const negated = this.#take('^');
    const members: SetNode[] = [];
    while (!this.#take(']')) {
      const from = this.#member();
      if (this.#peek() !== '-' || this.#characters[this.#at + 1] === ']') {
        members.push(from);
        continue;
      }
      this.#next();
      members.push(range(from, this.#member()));
    }
    const has = (character: string) => members.some((member) => member.has(character));
    if (negated) return setOf((character) => !has(character));
    return setOf(
      has,
      members.flatMap(({ samples }) => samples),
    );
  }

  #member(): SetNode {
    const character = this.#next();
    return character === '\\' ? this.#escape(true) : literal(character);
  }

  #escape(inSet = false): SetNode {
    const character = this.#next();
    const known = CLASSES[character];
    if (known) return setOf((other) => known.test(other));
    const control = inSet && character === 'b' ? '\b' : CONTROLS[character];
    if (control !== undefined) return literal(control);
    if (character === 'p' || character === 'P') return this.#property(character);
    if (character === 'x') return literal(String.fromCodePoint(this.#hexadecimal(2)));
    if (character === 'u') return literal(String.fromCodePoint(this.#codePoint()));
    if (/[\dA-Za-z]/.test(character)) throw new PatternNotSimple(`it has \\${character}`);
    return literal(character);
  }

  #property(letter: string): SetNode {
    let name = '';
    if (this.#take('{')) for (let next = this.#next(); next !== '}'; next = this.#next()) name += next;
    if (!/^[\w=]{1,60}$/.test(name)) throw new PatternNotSimple(`it has \\${letter}`);
    try {
      const known = new RegExp(`^\\${letter}{${name}}$`, 'u');
      return setOf((other) => known.test(other));
    } catch (cause) {
      throw new PatternNotSimple(`it has \\${letter}{${name}}`, { cause });
    }
  }

  #codePoint(): number {
    if (!this.#take('{')) return this.#hexadecimal(4);
    let digits = '';
    for (let next = this.#next(); next !== '}'; next = this.#next()) digits += next;
    const value = /^[\da-f]{1,6}$/i.test(digits) ? Number.parseInt(digits, 16) : Number.NaN;
    if (!(value <= 0x10ffff)) throw new PatternNotSimple(`it has \\u{${digits}}`);
    return value;
  }

  #hexadecimal(length: number): number {
    const digits = Array.from({ length }, () => this.#next()).join('');
    if (!/^[\da-f]+$/i.test(digits)) throw new PatternNotSimple(`it has the escape ${digits}`);
    return Number.parseInt(digits, 16);
  }

  #peek(): string {
    return this.#characters[this.#at] ?? '';
  }

  #next(): string {
    const character = this.#characters[this.#at];
    if (character === undefined) throw new PatternNotSimple('it ends too early');
    this.#at += 1;
    return character;
  }

  #take(character: string): boolean {
    if (this.#peek() !== character) return false;
    this.#at += 1;
    return true;
  }
}

function setOf(has: (character: string) => boolean, samples: readonly string[] = []): SetNode {
  return { kind: 'set', has, samples };
}

function literal(character: string): SetNode {
  return setOf((other) => other === character, [character]);
}

function range(from: SetNode, to: SetNode): SetNode {
  const [low, high] = [from.samples[0], to.samples[0]].map((sample) => sample?.codePointAt(0));
  if (low === undefined || high === undefined || low > high)
    throw new PatternNotSimple('it has a wrong range');
  const has = (character: string) => {
    const code = character.codePointAt(0) ?? -1;
    return code >= low && code <= high;
  };
  return setOf(has, from.samples);
}
