/** Bytes and base64, in slices: spreading a whole buffer over a call's arguments overflows the stack. */
const SLICE = 32_768;

/** Null where the text is not base64. */
export function bytesOf(encoded: string): Uint8Array | null {
  let binary: string;
  try {
    binary = atob(encoded);
  } catch {
    return null;
  }
  const bytes = new Uint8Array(binary.length);
  for (let place = 0; place < binary.length; place++) bytes[place] = binary.charCodeAt(place);
  return bytes;
}

export function base64Of(bytes: Uint8Array): string {
  let binary = "";
  for (let place = 0; place < bytes.length; place += SLICE) binary += String.fromCharCode(...bytes.subarray(place, place + SLICE));
  return btoa(binary);
}
