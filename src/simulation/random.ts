/**
 * The generator of the simulation: sfc32 (Chris Doty-Humphrey's Small Fast Counter), 128 bits of state. Its state starts as (seed,
 * stream), so two different pairs are two different sequences: scene n of seed s is the pair (s, n), and no other seed has that scene.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number, stream: number) {
    this.#a = seed >>> 0;
    this.#b = stream >>> 0;
    this.#c = 0x9e3779b9;
    for (let i = 0; i < 15; i++) this.bits(); // mixes the seed into the whole state
  }

  /** A further sequence for one purpose, fixed by this one's state and the name. */
  fork(purpose: string): Random {
    let hash = 0x811c9dc5; // FNV-1a
    for (const byte of Buffer.from(purpose)) hash = Math.imul(hash ^ byte, 0x01000193);
    return new Random(this.bits() ^ hash, this.bits());
  }

  /** A whole number in [0, 2³²). */
  bits(): number {
    const sum = (this.#a + this.#b + this.#counter) >>> 0;
    this.#counter = (this.#counter + 1) >>> 0;
    this.#a = (this.#b ^ (this.#b >>> 9)) >>> 0;
    this.#b = (this.#c + (this.#c << 3)) >>> 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) >>> 0;
    return sum;
  }

  uniform(low = 0, high = 1): number {
    return low + (high - low) * (this.bits() / 0x1_0000_0000);
  }

  /** A whole number in [low, high]. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.uniform() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  sign(): 1 | -1 {
    return this.chance(0.5) ? 1 : -1;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.integer(0, items.length - 1)]!;
  }

  /** A copy in random order (Fisher–Yates). */
  shuffled<T>(items: readonly T[]): T[] {
    const copy = [...items];
    for (let i = copy.length - 1; i > 0; i--) {
      const j = this.integer(0, i);
      [copy[i], copy[j]] = [copy[j]!, copy[i]!];
    }
    return copy;
  }

  /** Seed of a texture or of sensor noise: below 2²⁴, so that a float32 holds it exactly. */
  textureSeed(): number {
    return this.bits() >>> 8;
  }
}
