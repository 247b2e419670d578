// Deterministic draws: every object of a feed has its own small generator, so that any object can be made again
// without making those before it.

export class Seed {
  readonly #value: number;

  constructor(value: number) {
    this.#value = value;
  }

  /** 32-bit mix of the seed and up to three numbers. */
  mix(a: number, b = 0, c = 0): number {
    let h = Math.imul(this.#value ^ 0x9e3779b9, 0x85ebca6b) ^ (Math.floor(this.#value / 2 ** 32) | 0);
    for (const x of [a, b, c]) {
      h = Math.imul(h ^ x ^ (h >>> 15), 0x2c1b3c6d);
      h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
      h ^= h >>> 15;
    }
    return h >>> 0;
  }

  /** `salt` separates the uses that one object makes of draws. */
  draw(salt: number, day: number, index: number): Draw {
    return new Draw(this.mix(salt, day, index), this.mix(salt ^ 0x5bd1e995, index, day), this.mix(index, salt, day));
  }

  /** A permutation of 0 .. 2^bits-1 (four Feistel rounds, `bits` even): counters become distinct scattered values. */
  permute(n: number, bits: number, salt: number): number {
    const half = bits / 2;
    const mask = 2 ** half - 1;
    let left = Math.floor(n / 2 ** half) & mask;
    let right = n & mask;
    for (let round = 0; round < 4; round++) {
      const next = (left ^ this.mix(salt, round, right)) & mask;
      left = right;
      right = next;
    }
    return left * 2 ** half + right;
  }
}

/** The generator sfc32. */
export class Draw {
  #a: number;
  #b: number;
  #c: number;
  #d = 1;

  constructor(a: number, b: number, c: number) {
    this.#a = a;
    this.#b = b;
    this.#c = c;
    for (let i = 0; i < 8; i++) this.#word();
  }

  #word(): number {
    const t = (this.#a + this.#b + this.#d) | 0;
    this.#d = (this.#d + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (this.#c << 21) | (this.#c >>> 11);
    this.#c = (this.#c + t) | 0;
    return t >>> 0;
  }

  share(): number {
    return this.#word() / 2 ** 32;
  }

  below(n: number): number {
    return Math.floor(this.share() * n);
  }

  pick<T>(list: readonly T[]): T {
    // The index is below the length; callers never pass an empty list.
    return list[this.below(list.length)] as T;
  }

  /** Weights sum to 1. */
  weighted<T>(table: readonly (readonly [number, T])[]): T {
    let r = this.share();
    for (const [weight, value] of table) {
      r -= weight;
      if (r < 0) return value;
    }
    return (table.at(-1) as readonly [number, T])[1];
  }

  hex(chars: number): string {
    let text = '';
    while (text.length < chars) text += this.#word().toString(16).padStart(8, '0');
    return text.slice(0, chars);
  }

  uuid(): string {
    const h = this.hex(32);
    const variant = '89ab'[Number.parseInt(h[16] as string, 16) & 3];
    return `${h.slice(0, 8)}-${h.slice(8, 12)}-4${h.slice(13, 16)}-${variant}${h.slice(17, 20)}-${h.slice(20)}`;
  }
}
