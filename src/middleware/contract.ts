import type { MiddlewareHandler } from 'hono';
import { CONTRACT_HEADER, CONTRACT_VERSION, speaksContract } from '../contract/version.ts';
import { Refusal } from '../domain/refusal.ts';
import type { AppEnv } from '../gateway.ts';

/** Says which version of the contract the gateway speaks, and refuses an agent that it would misunderstand. */
export function contractVersion(): MiddlewareHandler<AppEnv> {
  return async function contractVersion(c, next) {
    c.header(CONTRACT_HEADER, CONTRACT_VERSION);
    const theirs = c.req.header(CONTRACT_HEADER);
    if (theirs !== undefined && !speaksContract(theirs)) {
      const detail = `This gateway speaks version ${CONTRACT_VERSION} of the contract, and the agent another: upgrade the older of the two.`;
      throw new Refusal('contract_unsupported', detail);
    }
    await next();
  };
}
