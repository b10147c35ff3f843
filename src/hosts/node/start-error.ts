/** Why the gateway can't start: one line for people. */
export class StartError extends Error {}
