/** What a new tenant may have unless said: the contract's `DEFAULT_LIMITS`, which a test holds them to. */
export const FIRST_LIMITS = { networks: 100, sites: 100, macsPerNetwork: 10_000 };
