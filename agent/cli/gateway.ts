/** The way to a gateway, as `join` and `run` both take it from their flags. */
import { readFile } from 'node:fs/promises';
import type { ClientOptions } from '../control/client.ts';
import { createGatewayClock } from '../control/clock.ts';
import { errorCode, Failure } from '../control/failure.ts';
import { parseGatewayUrl } from '../control/gateway-url.ts';
import { createTransport } from '../control/transport.ts';

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

async function readCertificates(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new Failure('configuration', `--ca ${path} can't be read (${errorCode(error)})`, error);
  });
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  throw new Failure('configuration', `--ca ${path} must hold certificates in PEM (-----BEGIN CERTIFICATE-----)`);
}
