/**
 * Text sealed by a secret that the store doesn't have: AES-256-GCM under a key derived from it (HKDF-SHA-256), for what must be given
 * back to the holder of the secret and be of no use to whoever reads the store. The secrets are of 256 random bits, or nearly.
 */
import { decodeBase64Url, encodeBase64Url } from './base64url.ts';

const NONCE_BYTES = 12;
const INFO = new TextEncoder().encode('overlane sealed answer');

/** @param context where the text belongs: it can't be opened as anything else's. */
export async function seal(text: string, secret: string, context: string): Promise<string> {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const sealed = await crypto.subtle.encrypt(
    { name: 'AES-GCM', iv: nonce, additionalData: new TextEncoder().encode(context) },
    await keyOf(secret, context),
    new TextEncoder().encode(text),
  );
  return `${encodeBase64Url(nonce)}.${encodeBase64Url(new Uint8Array(sealed))}`;
}

/** @returns the text, or null where the secret or the context is another. */
export async function unseal(sealed: string, secret: string, context: string): Promise<string | null> {
  const [nonce, bytes] = sealed.split('.').map(decodeBase64Url);
  if (!nonce || !bytes) return null;
  try {
    const text = await crypto.subtle.decrypt(
      { name: 'AES-GCM', iv: new Uint8Array(nonce), additionalData: new TextEncoder().encode(context) },
      await keyOf(secret, context),
      new Uint8Array(bytes),
    );
    return new TextDecoder().decode(text);
  } catch {
    return null;
  }
}

async function keyOf(secret: string, context: string): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey('raw', new TextEncoder().encode(secret), 'HKDF', false, ['deriveKey']);
  return crypto.subtle.deriveKey(
    { name: 'HKDF', hash: 'SHA-256', salt: new TextEncoder().encode(context), info: INFO },
    material,
    { name: 'AES-GCM', length: 256 },
    false,
    ['encrypt', 'decrypt'],
  );
}
