/** The way to a gateway, as `join` and `run` both take it from their flags. */

import { readCertificates } from '../../shared/certificates.ts';
import { parseGatewayUrl } from '../../shared/gateway-url.ts';
import { createTransport } from '../../shared/transport.ts';
import type { ClientOptions } from '../control/client.ts';
import { createGatewayClock } from '../control/clock.ts';

export interface GatewayFlags {
  readonly gateway: string;
  readonly allowPlainHttp: boolean;
  /** A file of certificates in PEM, trusted beside the system's. */
  readonly caPath: string | null;
}

/** @throws Failure where the address or the certificates are not right. */
export async function openGateway(flags: GatewayFlags): Promise<Omit<ClientOptions, 'privateKey'>> {
  const origin = parseGatewayUrl(flags.gateway, flags.allowPlainHttp);
  const ca = flags.caPath === null ? undefined : await readCertificates(flags.caPath);
  return {
    origin,
    transport: createTransport({ origin, ca }),
    clock: createGatewayClock(Date.now),
    machineNow: Date.now,
  };
}
