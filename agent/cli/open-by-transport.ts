/** A site's data path: what carries its plain networks, and beside it what carries its encrypted ones. */
import type { Datapath } from '../datapath/datapath.ts';
import { DatapathByTransport } from '../wireguard/by-transport.ts';
import { EncryptedDatapath, type EncryptedDatapathOptions } from '../wireguard/encrypted-datapath.ts';

export interface SiteDatapath extends Datapath {
  readonly encrypted: EncryptedDatapath;
}

export async function openByTransport(
  options: EncryptedDatapathOptions & { readonly openPlain: () => Promise<Datapath> },
): Promise<SiteDatapath> {
  const plain = await options.openPlain();
  const encrypted = new EncryptedDatapath(options);
  return Object.assign(new DatapathByTransport(plain, encrypted), { encrypted });
}
