/** What does WireGuard for a device of ours: the kernel, or a process. Errors are `WireguardError`. */
import type { PeerChanges } from './peers.ts';

export interface WireguardBackend {
  /** Of the interface. */
  readonly name: string;
  /** Resolves when it is no more, by whatever it ended. */
  readonly ended: Promise<void>;
  /** @param privateKey in base64. @param port UDP. */
  setIdentity(privateKey: string, port: number): Promise<void>;
  setPeers(changes: PeerChanges): Promise<void>;
  /** When each peer last shook hands, in seconds since 1970 (0: never), by public key in base64. */
  handshakes(): Promise<ReadonlyMap<string, number>>;
  /** Removes the interface. */
  stop(): Promise<void>;
}
