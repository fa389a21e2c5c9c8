/** From one sample rate to another: a band-limited polyphase filter whose state goes on from piece to piece, so no joint clicks. */

/** Taps of the filter on each side, at the lower of the two rates. */
const HALF_TAPS = 24;
const ROLL_OFF = 0.92;
const KAISER_BETA = 8.6;

export class Resampler {
  readonly #up: number;
  readonly #down: number;
  readonly #taps: number;
  readonly #phases: Float32Array[];
  #history: Float32Array;
  /** Where the next output lies, in steps of 1/up of an input sample after the history's first window. */
  #position = 0;

  constructor(from: number, to: number) {
    const divisor = gcd(from, to);
    this.#up = to / divisor;
    this.#down = from / divisor;
    const scale = Math.min(1, to / from);
    this.#taps = 2 * Math.ceil(HALF_TAPS / scale);
    this.#phases = filter(this.#up, this.#taps, scale * ROLL_OFF);
    this.#history = new Float32Array(this.#taps - 1);
  }

  process(input: Float32Array): Float32Array {
    if (this.#up === this.#down) return input.slice();
    const taps = this.#taps;
    const all = new Float32Array(this.#history.length + input.length);
    all.set(this.#history);
    all.set(input, this.#history.length);
    const windows = all.length - taps + 1;
    const count = Math.max(0, Math.ceil((windows * this.#up - this.#position) / this.#down));
    const output = new Float32Array(count);
    let position = this.#position;
    for (let place = 0; place < count; place++) {
      const start = Math.floor(position / this.#up);
      const phase = this.#phases[position % this.#up];
      if (!phase) break;
      let sum = 0;
      for (let tap = 0; tap < taps; tap++) sum += (all[start + tap] ?? 0) * (phase[tap] ?? 0);
      output[place] = sum;
      position += this.#down;
    }
    this.#position = position - windows * this.#up;
    this.#history = all.slice(windows);
    return output;
  }
}

/** One row of taps for each place between two input samples: a sinc in a Kaiser window, each row with unit gain. */
function filter(up: number, taps: number, cutoff: number): Float32Array[] {
  return Array.from({ length: up }, (_, phase) => {
    const row = new Float32Array(taps);
    let sum = 0;
    for (let tap = 0; tap < taps; tap++) {
      const x = tap - (taps / 2 - 1) - phase / up;
      const inside = 1 - (x / (taps / 2)) ** 2;
      const window = inside > 0 ? bessel(KAISER_BETA * Math.sqrt(inside)) / bessel(KAISER_BETA) : 0;
      const value = (x === 0 ? cutoff : Math.sin(Math.PI * cutoff * x) / (Math.PI * x)) * window;
      row[tap] = value;
      sum += value;
    }
    return row.map((value) => value / sum);
  });
}

function bessel(x: number): number {
  let sum = 1;
  let term = 1;
  for (let k = 1; k < 40; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}

function gcd(one: number, other: number): number {
  return other === 0 ? one : gcd(other, one % other);
}
