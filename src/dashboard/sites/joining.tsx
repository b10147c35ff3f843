/** The command to paste, and what comes of it: it waits, and turns green when the site is there and in step. */
import type { ComponentChildren } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import type { Event } from '../../contract/events.ts';
import type { Page as ListPage } from '../api/pages.ts';
import { useQuery } from '../api/query.ts';
import { useTenant, useTopology } from '../api/tenant.tsx';
import { overviewOf, type SiteHealth } from '../format/health.ts';
import { Link } from '../route/link.tsx';
import { Copyable } from '../ui/copy.tsx';
import { Icon } from '../ui/icons.tsx';
import { Panel } from '../ui/page.tsx';
import { Segments } from '../ui/segments.tsx';
import { Time } from '../ui/time.tsx';
import type { MadeToken } from './add-site-form.tsx';
import { joinCommand } from './join-command.ts';

const PROGRAMS = [
  ['npm run -s agent --', 'In a checkout'],
  ['overlane-agent', 'Installed'],
] as const;

export function Joining({ made, onAnother }: { readonly made: MadeToken; readonly onAnother: () => void }) {
  const [program, setProgram] = useState<(typeof PROGRAMS)[number][0]>(PROGRAMS[0][0]);
  const { gateway, token, siteName: name, vtepAddress } = made;
  const command = joinCommand(program, { gateway, token, name, vtepAddress });
  return (
    <>
      <Panel
        title="On the host, as root"
        actions={<Segments label="How the agent is started" value={program} onValue={setProgram} options={PROGRAMS} />}
      >
        <p class="form-says">
          The token is shown this once. It works for one site, and ends <Time at={made.expiresAt} />.
        </p>
        <Copyable text={command} label="the command that joins" />
        <p class="form-says">Then let the agent run:</p>
        <Copyable text={`${program} run`} label="the command that runs the agent" />
      </Panel>
      <Progress made={made} onAnother={onAnother} />
    </>
  );
}

function Progress({ made, onAnother }: { readonly made: MadeToken; readonly onAnother: () => void }) {
  const tenant = useTenant();
  const site = useJoined(made);
  const isOnline = site?.site.status === 'online';
  const isInStep = isOnline && site.health === 'good' && site.links.every(({ step }) => step === 'in_step');
  return (
    <Panel title="What happens">
      <ol class="progress" aria-live="polite">
        <Step is={site === undefined ? 'now' : 'done'}>
          {site === undefined ? (
            'Waiting for the host to join…'
          ) : (
            <>
              It joined as {site.site.name}, from {site.site.vtep.address}
            </>
          )}
        </Step>
        <Step is={isOnline ? 'done' : site === undefined ? 'later' : 'now'}>
          {isOnline ? 'Its agent is connected' : 'Its agent connects'}
        </Step>
        <Step is={isInStep ? 'done' : isOnline ? 'now' : 'later'}>
          {isInStep ? 'In step: it forwards by the latest changes' : 'It applies its networks and says so'}
        </Step>
      </ol>
      {isInStep && (
        <div class="done-line">
          <Link to={tenant.page('sites', site.site.name)} class="button primary">
            Go to {site.site.name}
          </Link>
          <button type="button" class="button" onClick={onAnother}>
            Add another
          </button>
        </div>
      )}
    </Panel>
  );
}

function Step({ is, children }: { readonly is: 'done' | 'now' | 'later'; readonly children: ComponentChildren }) {
  return (
    <li class={is}>
      <span class="mark">{is === 'done' && <Icon name="check" />}</span>
      <span>{children}</span>
    </li>
  );
}

/** The site that the token made, once there is one. */
function useJoined(made: MadeToken): SiteHealth | undefined {
  const tenant = useTenant();
  const events = useQuery<ListPage<Event>>(`${tenant.api('events')}?kind=site_enrolled&order=newest&limit=50`).data;
  const topology = useTopology().data;
  return useMemo(() => {
    const joined = events?.items.find(
      ({ after }) => (after as { joinToken?: string } | undefined)?.joinToken === made.id,
    );
    if (joined === undefined || topology === undefined) return undefined;
    return overviewOf(topology).sites.find(({ site }) => site.id === joined.subject);
  }, [events, topology, made.id]);
}
