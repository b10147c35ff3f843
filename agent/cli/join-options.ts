/** What `join`, and `install` with it, take of the command line. */
import { hostname } from 'node:os';
import { type Command, Option } from 'commander';
import { checked } from '../../shared/checked.ts';
import { NameSchema, UdpPortSchema, UnicastIpSchema, VXLAN_PORT } from '../../src/contract/primitives.ts';
import { siteNameFrom } from './site-name.ts';

/** @param mandatory false where joining is only a part of what the command can do. */
export function addJoinOptions(command: Command, mandatory: boolean): Command {
  const gateway = new Option('--gateway <url>', 'the gateway, such as https://gateway.example.net');
  const token = new Option('--token <token>', 'a join token (olj_…)').env('OVERLANE_JOIN_TOKEN');
  return command
    .addOption(gateway.makeOptionMandatory(mandatory))
    .addOption(token.makeOptionMandatory(mandatory))
    .option('--name <name>', 'the site’s name', checked(NameSchema), siteNameFrom(hostname()))
    .option(
      '--vtep-address <ip>',
      'where other sites send VXLAN to; what the gateway sees unless said',
      checked(UnicastIpSchema),
    )
    .option('--vtep-port <port>', 'the UDP port of it', (text) => checked(UdpPortSchema)(Number(text)), VXLAN_PORT);
}
