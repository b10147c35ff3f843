/** What encrypted networks need: WireGuard on this host, its key in the registry, a session with every peer. */
import { formatVtep } from '../../shared/format-vtep.ts';
import type { AgentStatus } from '../control/status.ts';
import type { Finding } from './finding.ts';

const check = 'encryption';

export interface EncryptionOptions {
  /** Why there is no WireGuard on this host, or null where there is. */
  readonly missing: string | null;
  /** True where the table has networks that must be encrypted. */
  readonly isNeeded: boolean;
  /** Of the agent that runs here; null where none does. */
  readonly status: AgentStatus | null;
}

export function checkEncryption({ missing, isNeeded, status }: EncryptionOptions): Finding[] {
  if (missing !== null) {
    const todo = 'install the package wireguard-go';
    if (!isNeeded) return [{ check, verdict: 'pass', says: 'no network here asks for it' }];
    return [{ check, verdict: 'fail', says: `networks here must be encrypted, and ${missing}`, todo }];
  }
  if (!isNeeded) return [{ check, verdict: 'pass', says: 'WireGuard is there, and no network here asks for it' }];
  const { wireguard } = status ?? {};
  if (wireguard === undefined) return [{ check, verdict: 'pass', says: 'WireGuard is there' }];
  if (wireguard.error !== undefined) {
    const says = `the gateway has not taken this site’s key: ${wireguard.error}`;
    return [
      {
        check,
        verdict: 'fail',
        says,
        todo: 'peers know no other way to encrypt to here: see what is said of the gateway',
      },
    ];
  }
  const { withoutSession } = wireguard;
  if (withoutSession.length === 0) return [{ check, verdict: 'pass', says: 'there is a session with every peer' }];
  return withoutSession.map(({ address, endpoint }) => ({
    check,
    verdict: 'fail',
    says: `there is no session with ${endpoint === null ? `${address}, which must speak first` : formatVtep(endpoint)}: nothing passes`,
    todo: `let UDP ${endpoint?.port ?? wireguard.port} through, both ways; of two sites behind NATs one must be forwarded to`,
  }));
}
