import { execFileSync } from 'node:child_process';

/** Which function an instruction of a library belongs to. */
export class FunctionTable {
  readonly #offsets: number[] = [];
  readonly #names: string[] = [];

  /** @param symbols what `nm --demangle --defined-only --numeric-sort` prints */
  constructor(symbols: string) {
    for (const line of symbols.split('\n')) {
      const [, offset, name] = /^([0-9a-f]+) [tTwW] (.+)$/.exec(line) ?? [];
      if (offset === undefined || name === undefined || name.startsWith('$')) continue;
      this.#offsets.push(parseInt(offset, 16));
      this.#names.push(plainName(name));
    }
  }

  static of(library: string): FunctionTable {
    const options = ['--demangle', '--defined-only', '--numeric-sort', library];
    return new FunctionTable(execFileSync('nm', options, { encoding: 'utf8', maxBuffer: 2 ** 28 }));
  }

  nameAt(offset: number): string {
    let low = 0;
    let high = this.#offsets.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#offsets[middle]! <= offset) low = middle + 1;
      else high = middle;
    }
    return this.#names[low - 1] ?? 'runtime';
  }
}

/** `void bdc::(anonymous namespace)::SumChunk<bdc::NeonBits, 8, false>(…)` → `SumChunk<8, false>`: parameters, namespaces and types left out. */
export function plainName(symbol: string): string {
  const name = symbol.replaceAll('(anonymous namespace)::', '').replaceAll('bdc::', '');
  let depth = 0;
  let result = '';
  for (const character of name) {
    if (character === '<') depth++;
    if (character === '(' && depth === 0) break;
    if (depth === 0) result += character === ' ' ? '\0' : character;
    if (character === '>') depth--;
  }
  return result.split('\0').at(-1) || name;
}
