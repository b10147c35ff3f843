/**
 * The version of what gateway and agent say to each other. It is not the programs' version.
 *
 * Within a major version everything that came later may be absent, and both sides pass over what they don't know: fields in bodies,
 * answers and pushes, types of messages. So an agent and a gateway of different minor versions work together, with what both know. A
 * new value of a closed set (a port's type, a flood mode, an error's code) is no such addition: a gateway says it only to an agent whose
 * version has it. Another major version is refused, in words.
 */

export const CONTRACT_VERSION = '1.0';
/** Of each request of an agent and each answer to it; an agent that does not say it speaks 1.0. */
export const CONTRACT_HEADER = 'overlane-contract';

/** @returns whether a side of this version and one of `theirs` understand each other; what is no version is none of ours. */
export function speaksContract(theirs: string): boolean {
  return /^\d{1,6}\.\d{1,6}$/.test(theirs) && majorOf(theirs) === majorOf(CONTRACT_VERSION);
}

function majorOf(version: string): string {
  return version.slice(0, version.indexOf('.'));
}
