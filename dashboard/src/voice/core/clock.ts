/** Two clocks: the server counts the samples it was sent, this side has the time. The ledger leads from one to the other. */

/** Of 20 to 40 ms each: more than ten minutes, longer than anybody speaks in one turn. */
const KEPT_ENTRIES = 30_000;
const PER_MS = 48;

interface Entry {
  sentMs: number;
  at: number;
  capturedMs: number;
}

/** For one connection: what was sent up to which moment, and where it lies in what was captured. */
export class SampleLedger {
  #entries: Entry[] = [];
  #sentMs = 0;

  get sentMs(): number {
    return this.#sentMs;
  }

  /** So much more was sent; its end was captured at the moment `at`, at `capturedMs` of the recording. */
  sent(milliseconds: number, capturedMs: number, at: number): void {
    this.#sentMs += milliseconds;
    this.#entries.push({ sentMs: this.#sentMs, at, capturedMs });
    if (this.#entries.length > KEPT_ENTRIES * 1.25) this.#entries = this.#entries.slice(-KEPT_ENTRIES);
  }

  /** When the sample at this place of the server's clock was captured. Null where that is not known any more. */
  timeOf(serverMs: number): number | null {
    return this.#of(serverMs, (entry) => entry.at);
  }

  /** Where in the recording it lies. */
  capturedMsOf(serverMs: number): number | null {
    return this.#of(serverMs, (entry) => entry.capturedMs);
  }

  #of(serverMs: number, value: (entry: Entry) => number): number | null {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#entries[middle]?.sentMs ?? 0) < serverMs) low = middle + 1;
      else high = middle;
    }
    const entry = this.#entries[low];
    return entry ? value(entry) - (entry.sentMs - serverMs) : null;
  }
}

/** The last minute of what was captured, so that nothing said is lost with a connection. */
export class Tape {
  readonly #most: number;
  #pcm = new Uint8Array(PER_MS * 4_000);
  #length = 0;
  /** Bytes that are not kept any more. */
  #begins = 0;

  constructor(seconds = 60) {
    this.#most = seconds * 1000 * PER_MS;
  }

  get endMs(): number {
    return (this.#begins + this.#length) / PER_MS;
  }

  add(pcm: Uint8Array): void {
    if (this.#length + pcm.length > this.#pcm.length) this.#makeRoom(pcm.length);
    this.#pcm.set(pcm, this.#length);
    this.#length += pcm.length;
  }

  /** What was captured between, as far as it is kept; whole samples. */
  cut(startMs: number, endMs = this.endMs): Uint8Array {
    const place = (ms: number) => Math.min(this.#length, Math.max(0, Math.trunc(ms * 24) * 2 - this.#begins));
    return this.#pcm.slice(place(startMs), place(endMs));
  }

  #makeRoom(needed: number): void {
    const kept = this.#pcm.subarray(Math.max(0, this.#length - this.#most), this.#length);
    const larger = new Uint8Array(Math.min(this.#most * 1.5, Math.max(this.#pcm.length * 2, kept.length + needed)));
    larger.set(kept);
    this.#begins += this.#length - kept.length;
    this.#length = kept.length;
    this.#pcm = larger;
  }
}
