import { expect, test } from 'vitest';
import { planAgentInstall, planAgentUninstall } from '../../../agent/service/plan.ts';
import { unitText } from '../../../agent/service/unit.ts';
import { marked } from '../../../shared/service/mark.ts';
import type { HostFacts, Step } from '../../../shared/service/plan.ts';
import { planGatewayInstall, planGatewayUninstall } from '../../../src/hosts/node/service/plan.ts';

const PROGRAM = ['/usr/bin/node', '/opt/overlane/lib/node_modules/overlane/dist/package/agent/main.js'];
const FRESH: HostFacts = { hasUser: false, unit: null, stateOwner: null, hasBegun: false };
const INSTALLED: HostFacts = { hasUser: true, unit: marked(unitText(PROGRAM)), stateOwner: 'service', hasBegun: true };
const JOIN = { flags: ['--gateway', 'https://g.example'], token: 'olj_secret' };

function doneBy(steps: readonly Step[]): string[] {
  return steps.flatMap((step) => {
    if (step.do === 'nothing') return [];
    return step.do === 'run' ? [step.argv.join(' ')] : [`${step.do} ${step.path}`];
  });
}

test('a fresh host gets user, folder and unit, joins as that user, and starts', () => {
  const steps = planAgentInstall(FRESH, { program: PROGRAM, join: JOIN });
  expect(doneBy(steps)).toEqual([
    'useradd --system --user-group --no-create-home --home-dir /var/lib/overlane-agent --shell /usr/sbin/nologin overlane-agent',
    'install --directory --mode=700 --owner=overlane-agent --group=overlane-agent /var/lib/overlane-agent',
    'write /etc/systemd/system/overlane-agent.service',
    `${PROGRAM.join(' ')} join --gateway https://g.example --state /var/lib/overlane-agent`,
    'systemctl daemon-reload',
    'systemctl enable overlane-agent.service',
    'systemctl restart overlane-agent.service',
  ]);
});

test('the join token is in no argument and in nothing that is said, but in the environment of join alone', () => {
  const steps = planAgentInstall(FRESH, { program: PROGRAM, join: JOIN });
  for (const { say, ...step } of steps) expect(say + ('argv' in step ? step.argv.join() : '')).not.toContain('olj_');
  expect(steps.filter((step) => 'env' in step)).toMatchObject([{ env: { OVERLANE_JOIN_TOKEN: 'olj_secret' } }]);
});

test('a host that has not joined is prepared, and not started', () => {
  const steps = planAgentInstall(FRESH, { program: PROGRAM, join: null });
  expect(doneBy(steps).at(-1)).toBe('systemctl enable overlane-agent.service');
  expect(steps.at(-1)?.say).toMatch(/^not started, since this host has not joined: overlane-agent join/);
});

test('done again it changes nothing, joins nothing again, and starts what an upgrade has replaced', () => {
  expect(doneBy(planAgentInstall(INSTALLED, { program: PROGRAM, join: JOIN }))).toEqual([
    'systemctl enable overlane-agent.service',
    'systemctl restart overlane-agent.service',
  ]);
});

test('what root had joined by hand before becomes the service’s', () => {
  const steps = planAgentInstall({ ...FRESH, stateOwner: 'other', hasBegun: true }, { program: PROGRAM, join: null });
  expect(doneBy(steps)).toContain(
    'chown --recursive --no-dereference overlane-agent:overlane-agent /var/lib/overlane-agent',
  );
});

test('a unit that somebody wrote or changed is neither replaced nor removed, and it is said where changes belong', () => {
  for (const unit of ['[Service]\nExecStart=/my/own\n', `${INSTALLED.unit}Nice=5\n`, '']) {
    const host = { ...INSTALLED, unit };
    for (const plan of [
      () => planAgentInstall(host, { program: PROGRAM, join: null }),
      () => planAgentUninstall(host, { program: PROGRAM, purge: true }),
      () => planGatewayInstall(host, PROGRAM),
      () => planGatewayUninstall(host, true),
    ])
      expect(plan).toThrow(/overlane-(agent|gateway)\.service was written or changed by somebody: .*systemctl edit/);
  }
  const older = { ...INSTALLED, unit: marked('[Service]\nExecStart=/usr/bin/older\n') };
  expect(doneBy(planAgentInstall(older, { program: PROGRAM, join: null }))).toContain(
    'write /etc/systemd/system/overlane-agent.service',
  );
});

test('uninstall leaves the key, unless it is to go; where nothing is there nothing is done', () => {
  const undone = [
    'systemctl disable --now overlane-agent.service',
    `${PROGRAM.join(' ')} clear --state /var/lib/overlane-agent`,
    'remove /etc/systemd/system/overlane-agent.service',
    'systemctl daemon-reload',
  ];
  expect(doneBy(planAgentUninstall(INSTALLED, { program: PROGRAM, purge: false }))).toEqual(undone);
  expect(doneBy(planAgentUninstall(INSTALLED, { program: PROGRAM, purge: true }))).toEqual([
    ...undone,
    'remove /var/lib/overlane-agent',
    'userdel overlane-agent',
  ]);
  expect(doneBy(planAgentUninstall(FRESH, { program: PROGRAM, purge: true }))).toEqual([]);
});

test('the gateway’s is of the same kind: a user, a folder and a unit of its own, and nothing of it is left after a purge', () => {
  expect(doneBy(planGatewayInstall(FRESH, PROGRAM))).toEqual([
    'useradd --system --user-group --no-create-home --home-dir /var/lib/overlane-gateway --shell /usr/sbin/nologin overlane-gateway',
    'install --directory --mode=700 --owner=overlane-gateway --group=overlane-gateway /var/lib/overlane-gateway',
    'write /etc/systemd/system/overlane-gateway.service',
    'systemctl daemon-reload',
    'systemctl enable overlane-gateway.service',
    'systemctl restart overlane-gateway.service',
  ]);
  expect(doneBy(planGatewayUninstall(INSTALLED, false)).at(-1)).toBe('systemctl daemon-reload');
  expect(doneBy(planGatewayUninstall(INSTALLED, true)).slice(-2)).toEqual([
    'remove /var/lib/overlane-gateway',
    'userdel overlane-gateway',
  ]);
});

test('a path with a space or a sign of systemd’s own is quoted in the unit', () => {
  expect(unitText(['/opt/my node/100%/$x'])).toContain('ExecStart="/opt/my node/100%%/$$x" run --state');
});
