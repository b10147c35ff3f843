/**
 * The service from `install` to `uninstall`, in a mount namespace where /etc is a copy, and systemd is not there: its `systemctl` is a
 * script that notes what it is asked, and what the unit says is done with the agent by `setpriv`.
 */
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Program } from '../../demo/lab/program.ts';
import type { Site } from '../../demo/lab/site.ts';
import { until } from '../../demo/lab/until.ts';
import { createLab, type Lab } from '../../demo/lab.ts';
import { joinToken, makeTenant, startGateway, TENANT } from '../../demo/world.ts';
import { DatagramSocket } from '../agent/sys/datagram-socket.linux.ts';
import { describeUserLab } from '../lab/describe-lab.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
/** Not the files of this machine, and /dev/net/tun open to all, as udev has it. */
const SETTLE = `
set -eu
mkdir -p $FOLDER/etc && cp -a /etc/. $FOLDER/etc && mount --bind $FOLDER/etc /etc
mkdir -p /etc/systemd/system /run/systemd/system
for folder in /var/lib /var/log /opt; do mount -t tmpfs tmpfs $folder; done
mount -t tmpfs tmpfs /dev/net && mknod -m 666 /dev/net/tun c 10 200
mkdir /opt/overlane && mount --bind ${REPOSITORY} /opt/overlane
export PATH=$FOLDER/bin:$PATH
node=$(realpath /opt/overlane/node_modules/.bin/node)
agent="$node /opt/overlane/agent/main.ts"
gateway="$node /opt/overlane/src/hosts/node.ts"
of() { sed -n "s/^$1=//p" /etc/systemd/system/$unit.service; }
by() { user=$(of User); echo setpriv --reuid $user --regid $user --clear-groups --no-new-privs; }
`;
/** What systemd makes of the unit, as far as a test can: it is started, restarted by a line, and stopped by another. */
const START = `
unit=overlane-agent
start=$(of ExecStart | sed 's/ $OVERLANE_AGENT_FLAGS$//')
caps=-all,+$(of AmbientCapabilities | sed 's/CAP_//' | tr A-Z a-z)
run() {
  $(by) --bounding-set=$caps --inh-caps=$caps --ambient-caps=$caps \\
    env NOTIFY_SOCKET=$FOLDER/notify WATCHDOG_USEC=200000 $start & pid=$!
}
run; echo started
read -r _
kill -s $(of RestartKillSignal | sed 's|^SIG||') $pid; wait $pid; echo "made way with code $?"
ip -o link show blue0
run; echo restarted
read -r _
kill $pid; wait $pid; echo "ended with code $?"
`;
const SERVE = `
unit=overlane-gateway
$gateway install
$(by) --bounding-set=-all --inh-caps=-all env $(of Environment) JOURNAL_STREAM=8:4711 PORT=0 $(of ExecStart) & pid=$!
read -r _
kill $pid; wait $pid; echo "served with code $?"
stat -c '%U %a %n' /var/lib/overlane-gateway/operator-key
$gateway uninstall --purge
`;
const SCRIPT = `${SETTLE}
$agent install --dry-run --gateway $GATEWAY --allow-plain-http --name oslo
$agent install --gateway $GATEWAY --allow-plain-http --name oslo
unset OVERLANE_JOIN_TOKEN; echo again
$agent install
stat -c '%U %a %n' /var/lib/overlane-agent/*
${START}
$agent uninstall --purge
${SERVE}
ls /var/lib /etc/systemd/system; getent passwd overlane-agent overlane-gateway || echo 'no user'
echo done
`;

describeUserLab('the service', () => {
  let lab: Lab;
  let site: Site;
  let folder: string;
  let program: Program;
  let notify: DatagramSocket;
  const notes: string[] = [];

  beforeAll(async () => {
    lab = await createLab();
    site = await lab.site('oslo');
    // Others than root must find their way to it.
    folder = mkdtempSync('/run/overlane-');
    chmodSync(folder, 0o755);
    mkdirSync(join(folder, 'bin'));
    writeFileSync(join(folder, 'bin/systemctl'), `#!/bin/sh\necho "systemctl: $*"\n`, { mode: 0o755 });
    notify = new DatagramSocket(join(folder, 'notify'));
    chmodSync(join(folder, 'notify'), 0o777);
    const operator = await startGateway(lab, join(folder, 'gateway.sock'), join(folder, 'key'));
    await makeTenant(operator);
    const token = await joinToken(operator.call, 'blue');
    const env = { FOLDER: folder, GATEWAY: operator.url, OVERLANE_JOIN_TOKEN: token };
    program = site.spawn(['unshare', '--mount', 'sh', '-c', SCRIPT], { env });
  });
  afterAll(async () => {
    await lab.dispose();
    notify.close();
  });

  const untilNote = (pattern: RegExp): Promise<string> =>
    until(`a note like ${pattern}`, async () => {
      for (let note = notify.take(); note !== null; note = notify.take()) notes.push(note);
      return notes.find((note) => pattern.test(note));
    });

  it('is installed, says each thing it does, and joins as its own user', async () => {
    await program.line(/^started/, 40_000);
    const said = program.lines.join('\n');
    expect(said).toMatch(/^would make the user overlane-agent, who can't log in: useradd/m);
    expect(said).toMatch(/^make the user overlane-agent, who can't log in$/m);
    expect(said).toMatch(new RegExp(`^Joined tenant ${TENANT} as site oslo`, 'm'));
    expect(said).toMatch(/^overlane-agent 600 \/var\/lib\/overlane-agent\/agent\.json$/m);
    expect(said).not.toMatch(/^root .*\/var\/lib\/overlane-agent/m);
    expect(said).toMatch(/^systemctl: restart overlane-agent.service$/m);
  });

  it('installed again it changes nothing', () => {
    const again = program.lines.slice(program.lines.indexOf('again') + 1);
    expect(again.slice(0, 7)).toEqual([
      'the user overlane-agent is there',
      'the folder /var/lib/overlane-agent is there',
      'the unit /etc/systemd/system/overlane-agent.service is as it should be',
      'start it with the host',
      'systemctl: enable overlane-agent.service',
      'start it',
      'systemctl: restart overlane-agent.service',
    ]);
  });

  it('carries its network as that user with CAP_NET_ADMIN alone, and answers the watchdog', async () => {
    await untilNote(/^READY=1\nSTATUS=/);
    await untilNote(/^STATUS=in step: 1 of 1 networks carried, 0 peers\nWATCHDOG=1$/);
    expect(await site.link('blue0')).toMatchObject({ operstate: expect.stringMatching(/UP|UNKNOWN/) });
  });

  it('restarted it leaves its interface, with the address that somebody gave that', async () => {
    await site.address('blue0', '10.20.0.1/24');
    notes.length = 0;
    program.child.stdin?.write('\n');
    await program.line(/^restarted$/, 20_000);
    expect(program.lines).toContain('made way with code 0');
    await untilNote(/^STOPPING=1/);
    await untilNote(/^READY=1\n/);
    expect(await site.exec(['ip', '-o', 'address', 'show', 'dev', 'blue0'])).toContain('10.20.0.1/24');
  });

  it('ends in order; the gateway’s serves as its own user without any capability; uninstalled, both leave nothing', async () => {
    notes.length = 0;
    program.child.stdin?.write('\n');
    await program.line(/^Overlane gateway ready/, 20_000);
    await untilNote(/^STOPPING=1/);
    program.child.stdin?.write('\n');
    await program.line(/^done$/, 20_000);
    expect(program.lines).toContain('served with code 0');
    expect(program.lines).toContain('overlane-gateway 600 /var/lib/overlane-gateway/operator-key');
    const said = program.lines.slice(program.lines.indexOf('ended with code 0'));
    expect(said).toContain('systemctl: disable --now overlane-agent.service');
    expect(said.slice(-2)).toEqual(['no user', 'done']);
    expect(said.filter((line) => /^overlane-(agent|gateway)(\.service)?$/.test(line))).toEqual([]);
    expect((await site.exec(['ip', '-o', 'link'])).includes('blue0')).toBe(false);
  });
});
