import { join } from 'node:path';

/** Where the gateway can be reached from outside the lab. @param folder that both sides see. */
export function gatewaySocket(folder: string): string {
  return join(folder, 'gateway.sock');
}
