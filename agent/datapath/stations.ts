/** Who is told, frame by frame, of the stations on this host's own ports. Called only where something is new. */
export interface Stations {
  /** A frame came from the station on a port, and it was not known there. */
  heard(vni: number, mac: number, now: number): void;

  /**
   * The station gave its IP address.
   * @param address 4 or 16 bytes
   */
  gaveAddress(vni: number, mac: number, address: Uint8Array, now: number): void;

  /** The station is no longer here: it aged or had to make room, or the registry now has it at another site. */
  left(vni: number, mac: number): void;

  /** The port went, or the network. */
  allLeft(vni: number): void;
}
