/** WireGuard can't be had as it should be; `message` is one line for people. */
export class WireguardError extends Error {
  override readonly name = 'WireguardError';
}
