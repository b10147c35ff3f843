/** Tables of a size, for benches and tests of the kernel data path. */
import { formatMac, type Mac } from '../../../src/contract/mac.ts';
import type { MacRow, NetworkTable, Snapshot } from '../../../src/contract/table.ts';

const FIRST_VNI = 5000;
const FIRST_MAC = 0x02_00_00_00_00_00;
export const VTEPS = Array.from({ length: 10 }, (_, i) => ({
  site: `site-${i}`,
  address: `10.77.1.${i + 1}`,
  port: 4789,
}));

export function macRow(network: number, i: number, vtep = i % VTEPS.length): MacRow {
  const mac = formatMac((FIRST_MAC + network * 65_536 + i) as Mac);
  return { mac, site: VTEPS[vtep]!.site, seq: 1, sticky: false };
}

export function networkTable(network: number, macs: readonly MacRow[]): NetworkTable {
  return {
    vni: FIRST_VNI + network,
    network: `network-${network}`,
    name: `network-${network}`,
    mtu: 1450,
    port: { type: 'host', name: `n${network}` },
    flood: 'headend',
    antiSpoof: 'vtep',
    arpSuppression: false,
    revision: 1,
    digest: '000000000000',
    vteps: VTEPS,
    macs: [...macs],
  };
}

/** @param macs of each network. */
export function snapshot(networks: number, macs: number): Snapshot {
  const tables = Array.from({ length: networks }, (_, network) =>
    networkTable(
      network,
      Array.from({ length: macs }, (_, i) => macRow(network, i)),
    ),
  );
  return { kind: 'snapshot', cursor: 'bench', networks: tables };
}
