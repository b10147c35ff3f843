/**
 * The site's key, and the one that is to take its place. Both stay on disk until the gateway has said that the new one is the site's:
 * wherever a crash comes between, one of the two is the right one, and the client finds out which.
 */
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure, reasonOf } from '../../shared/failure.ts';
import { syncFolder } from './atomic-file.ts';
import type { NextKey } from './client.ts';
import {
  type Identity,
  KEY_FILE,
  NEXT_KEY_FILE,
  readIdentity,
  readOrCreateIdentity,
  tryReadIdentity,
} from './identity.ts';

export class KeyRing {
  readonly #folder: string;
  #current: Identity;
  #next: Identity | null;

  private constructor(folder: string, current: Identity, next: Identity | null) {
    this.#folder = folder;
    this.#current = current;
    this.#next = next;
  }

  /** @throws Failure where there is no key, others can read it, or it is no Ed25519 key. */
  static async open(folder: string): Promise<KeyRing> {
    const current = await readIdentity(folder);
    return new KeyRing(folder, current, await tryReadIdentity(join(folder, NEXT_KEY_FILE)));
  }

  get current(): Identity {
    return this.#current;
  }

  /** The key of a rotation that began and whose end is not known, or null. */
  get next(): NextKey | null {
    return this.#next === null ? null : { ...this.#next, promote: () => this.#promote() };
  }

  /** The new key: one that is there already, or another, made now and on disk before anyone hears of it. */
  async prepare(): Promise<NextKey> {
    this.#next ??= await readOrCreateIdentity(this.#folder, NEXT_KEY_FILE);
    if (this.#next.publicKey === this.#current.publicKey) {
      // The disk did not take the end of the last rotation.
      await this.#promote();
      this.#next = await readOrCreateIdentity(this.#folder, NEXT_KEY_FILE);
    }
    return this.next!;
  }

  /** @throws Failure where the disk does not take it: the key is in use all the same, and both are still on disk. */
  async #promote(): Promise<void> {
    if (this.#next === null) return;
    this.#current = this.#next;
    this.#next = null;
    try {
      await rename(join(this.#folder, NEXT_KEY_FILE), join(this.#folder, KEY_FILE));
      await syncFolder(this.#folder);
    } catch (error) {
      throw new Failure('failed', `the new key is in use, but still in ${NEXT_KEY_FILE} (${reasonOf(error)})`, error);
    }
  }
}
