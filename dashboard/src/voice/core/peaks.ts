/** How loud the answers are that come: one that nobody can hear is said. */

/** A peak below this is no sound that anybody hears. */
const SILENT_PEAK = 64;

export class Peaks {
  readonly #peaks = new Map<string, number>();

  /** A piece of PCM16: every eighth sample is looked at. */
  add(itemId: string, pcm: Uint8Array): void {
    const view = new DataView(pcm.buffer, pcm.byteOffset, pcm.byteLength);
    let peak = this.#peaks.get(itemId) ?? 0;
    for (let place = 0; place + 1 < pcm.length; place += 16) peak = Math.max(peak, Math.abs(view.getInt16(place, true)));
    this.#peaks.set(itemId, peak);
  }

  /** It is whole: whether it was silent from end to end. */
  wasSilent(itemId: string): boolean {
    const peak = this.#peaks.get(itemId);
    this.#peaks.delete(itemId);
    return peak !== undefined && peak < SILENT_PEAK;
  }
}
