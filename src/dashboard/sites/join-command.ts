/** The commands that make a host a site. */

export interface JoinCommand {
  readonly gateway: string;
  readonly token: string;
  readonly name: string;
  /** Where others send VXLAN to; empty: the address that the gateway sees. */
  readonly vtepAddress: string;
}

/** @param program what starts the agent there. */
export function joinCommand(program: string, { gateway, token, name, vtepAddress }: JoinCommand): string {
  return [
    `${program} join`,
    `--gateway ${shellWord(gateway)}`,
    `--token ${shellWord(token)}`,
    ...(name === '' ? [] : [`--name ${shellWord(name)}`]),
    ...(vtepAddress === '' ? [] : [`--vtep-address ${shellWord(vtepAddress)}`]),
    ...(needsPlainHttp(gateway) ? ['--allow-plain-http'] : []),
  ].join(' ');
}

/** The agent refuses plain HTTP to another host unless it is told that this is meant. */
function needsPlainHttp(gateway: string): boolean {
  if (!URL.canParse(gateway)) return false;
  const { protocol, hostname } = new URL(gateway);
  return protocol === 'http:' && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

function shellWord(text: string): string {
  return /^[\w./:@%+=[\]-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
