/**
 * The gateway's time, as far as this machine can tell: its own clock plus an offset taken from the answers' `Date`.
 *
 * Tokens are judged by the gateway's clock. A site whose clock is off (no battery, no NTP behind a firewall) must still be let in, and
 * setting the machine's clock is not ours to do.
 */
export interface GatewayClock {
  /** Milliseconds since 1970, by the gateway's clock. */
  now(): number;
  /** Takes in an answer's `Date`; anything that is no date is ignored. `sentAt` is the machine's time when the request left. */
  observe(dateHeader: string | undefined, sentAt: number): void;
}

/** `Date` has whole seconds, cut off: the truth is half a second later on average. */
const DATE_ROUNDING_MS = 500;

/** @param machineNow the machine's clock, milliseconds since 1970. */
export function createGatewayClock(machineNow: () => number): GatewayClock {
  let offset = 0;
  return {
    now: () => machineNow() + offset,
    observe(dateHeader, sentAt) {
      const date = Date.parse(dateHeader ?? '');
      if (Number.isNaN(date)) return;
      offset = date + DATE_ROUNDING_MS - (sentAt + machineNow()) / 2;
    },
  };
}
