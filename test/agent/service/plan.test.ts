import { expect, test } from 'vitest';
import { type HostFacts, planInstall, planUninstall, type Step } from '../../../agent/service/plan.ts';
import { unitText } from '../../../agent/service/unit.ts';

const PROGRAM = ['/usr/bin/node', '/opt/overlane/lib/node_modules/overlane/dist/package/agent/main.js'];
const FRESH: HostFacts = { hasUser: false, unit: null, stateOwner: null, hasJoined: false };
const INSTALLED: HostFacts = { hasUser: true, unit: unitText(PROGRAM), stateOwner: 'service', hasJoined: true };
const JOIN = { flags: ['--gateway', 'https://g.example'], token: 'olj_secret' };

function doneBy(steps: readonly Step[]): string[] {
  return steps.flatMap((step) => {
    if (step.do === 'nothing') return [];
    return step.do === 'run' ? [step.argv.join(' ')] : [`${step.do} ${step.path}`];
  });
}

test('a fresh host gets user, folder and unit, joins as that user, and starts', () => {
  const steps = planInstall(FRESH, { program: PROGRAM, join: JOIN });
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
  const steps = planInstall(FRESH, { program: PROGRAM, join: JOIN });
  for (const { say, ...step } of steps) expect(say + ('argv' in step ? step.argv.join() : '')).not.toContain('olj_');
  expect(steps.filter((step) => 'env' in step)).toMatchObject([{ env: { OVERLANE_JOIN_TOKEN: 'olj_secret' } }]);
});

test('a host that has not joined is prepared, and not started', () => {
  const steps = planInstall(FRESH, { program: PROGRAM, join: null });
  expect(doneBy(steps).at(-1)).toBe('systemctl enable overlane-agent.service');
  expect(steps.at(-1)?.say).toMatch(/^not started, since this host has not joined: overlane-agent join/);
});

test('done again it changes nothing, joins nothing again, and starts what an upgrade has replaced', () => {
  expect(doneBy(planInstall(INSTALLED, { program: PROGRAM, join: JOIN }))).toEqual([
    'systemctl enable overlane-agent.service',
    'systemctl restart overlane-agent.service',
  ]);
});

test('what root had joined by hand before becomes the service’s', () => {
  const steps = planInstall({ ...FRESH, stateOwner: 'other', hasJoined: true }, { program: PROGRAM, join: null });
  expect(doneBy(steps)).toContain(
    'chown --recursive --no-dereference overlane-agent:overlane-agent /var/lib/overlane-agent',
  );
});

test('uninstall leaves the key, unless it is to go; where nothing is there nothing is done', () => {
  const undone = [
    'systemctl disable --now overlane-agent.service',
    'remove /etc/systemd/system/overlane-agent.service',
    'systemctl daemon-reload',
  ];
  expect(doneBy(planUninstall(INSTALLED, { purge: false }))).toEqual(undone);
  expect(doneBy(planUninstall(INSTALLED, { purge: true }))).toEqual([
    ...undone,
    'remove /var/lib/overlane-agent',
    'userdel overlane-agent',
  ]);
  expect(doneBy(planUninstall(FRESH, { purge: true }))).toEqual([]);
});

test('a path with a space or a sign of systemd’s own is quoted in the unit', () => {
  expect(unitText(['/opt/my node/100%/$x'])).toContain('ExecStart="/opt/my node/100%%/$$x" run --state');
});
