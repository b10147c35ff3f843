/** Where the load generator sends to (RFC 863). */
export const DISCARD_PORT = 9;
