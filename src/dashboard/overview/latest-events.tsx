import type { Event } from '../../contract/events.ts';
import type { Page as ListPage } from '../api/pages.ts';
import { useQuery } from '../api/query.ts';
import { useTenant } from '../api/tenant.tsx';
import { EventLine } from '../events/event-line.tsx';
import { useNames } from '../events/use-names.ts';
import { Link } from '../route/link.tsx';
import { Panel } from '../ui/page.tsx';
import { Empty, Loaded } from '../ui/states.tsx';

const SHOWN = 8;

/** What happened last: to the tenant, or to one site or network of it. */
export function LatestEvents({ site, network }: { readonly site?: string; readonly network?: string }) {
  const tenant = useTenant();
  const nameOf = useNames();
  const about = new URLSearchParams({
    ...(site === undefined ? {} : { site }),
    ...(network === undefined ? {} : { network }),
  }).toString();
  const path = `${tenant.api('events')}?order=newest&limit=${SHOWN}${about === '' ? '' : `&${about}`}`;
  const events = useQuery<ListPage<Event>>(path);
  return (
    <Panel
      title="Latest events"
      actions={<Link to={`${tenant.page('events')}${about === '' ? '' : `?${about}`}`}>All events</Link>}
      flush
    >
      <Loaded of={events} rows={5} height={32}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty icon="events" title="Nothing happened yet">
              Every change is kept here: who made it, from where, what it was before.
            </Empty>
          ) : (
            <ul class="rows">
              {items.map((event) => (
                <li key={event.id} class="row">
                  <EventLine event={event} nameOf={nameOf} />
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
    </Panel>
  );
}
