/** Events with their filters: of a tenant, or of the gateway. */
import { useState } from 'preact/hooks';
import type { Event, EventKind } from '../../contract/events.ts';
import { usePages } from '../api/pages.ts';
import { describeEvent, EVENTS, type NameOf } from '../format/event.ts';
import { useQueryText } from '../route/use-query-text.ts';
import { Dialog } from '../ui/dialog.tsx';
import { Export } from '../ui/export.tsx';
import { Listing } from '../ui/listing.tsx';
import { Panel } from '../ui/page.tsx';
import { Search } from '../ui/search.tsx';
import { Empty } from '../ui/states.tsx';
import { Dot } from '../ui/status.tsx';
import type { Column } from '../ui/table.tsx';
import { Time } from '../ui/time.tsx';
import { EventDetail } from './event-detail.tsx';

interface Props {
  readonly path: string;
  readonly nameOf: NameOf;
  /** Sites and networks that it can be narrowed to, by id. */
  readonly things: readonly { readonly kind: 'site' | 'network'; readonly id: string; readonly name: string }[];
}

export function EventsList({ path, nameOf, things }: Props) {
  const [search, setSearch] = useQueryText('search');
  const [kind, setKind] = useQueryText('kind');
  const [site, setSite] = useQueryText('site');
  const [network, setNetwork] = useQueryText('network');
  const [shown, show] = useState<Event | null>(null);
  const asked = Object.entries({ search, kind, site, network }).filter(([, value]) => value !== '');
  const query = new URLSearchParams([['order', 'newest'], ...asked]).toString();
  const events = usePages<Event>(`${path}?${query}`);

  const columns: readonly Column<Event>[] = [
    {
      head: 'What happened',
      isWide: true,
      cell: (event) => {
        const { who, what } = describeEvent(event, nameOf);
        return (
          <button type="button" class="cell-button" onClick={() => show(event)}>
            <Dot tone={EVENTS[event.kind]?.tone ?? 'off'} />
            <span>
              <strong>{who}</strong> {what}
            </span>
          </button>
        );
      },
    },
    { head: 'Kind', from: 'desktop', cell: ({ kind: is }) => <span class="faint">{EVENTS[is]?.label ?? is}</span> },
    { head: 'From', from: 'wide', cell: ({ address }) => <span class="mono faint">{address ?? ''}</span> },
    { head: 'Revision', from: 'wide', isNumber: true, cell: ({ revision }) => <span class="faint">{revision}</span> },
    { head: 'When', cell: ({ at }) => <Time at={at} /> },
  ];

  return (
    <Panel
      title="Events"
      flush
      actions={
        <>
          <Search value={search} onValue={setSearch} label="Search events" />
          <Choice label="Kind" value={kind} onValue={setKind} all="Every kind">
            {(Object.keys(EVENTS) as EventKind[]).map((one) => [one, EVENTS[one].label])}
          </Choice>
          {(['site', 'network'] as const).map((about) => {
            const own = things.filter((thing) => thing.kind === about);
            const [value, set] = about === 'site' ? [site, setSite] : [network, setNetwork];
            return own.length === 0 ? null : (
              <Choice key={about} label={about} value={value} onValue={set} all={`Every ${about}`}>
                {own.map(({ id, name }) => [id, name])}
              </Choice>
            );
          })}
          <Export
            name="events"
            path={`${path}?${query}`}
            columns={[
              ['at', (event: Event) => event.at],
              ['kind', (event) => event.kind],
              ['who', (event) => describeEvent(event, nameOf).who],
              ['what', (event) => describeEvent(event, nameOf).what],
              ['subject', (event) => event.subject],
              ['address', (event) => event.address],
              ['revision', (event) => event.revision],
              ['request', (event) => event.requestId],
              ['before', (event) => (event.before === undefined ? '' : JSON.stringify(event.before))],
              ['after', (event) => (event.after === undefined ? '' : JSON.stringify(event.after))],
            ]}
          />
        </>
      }
    >
      <Listing
        of={events}
        outdated="Something happened since. Show it"
        likely={8}
        label="Events"
        keyOf={({ id }) => id}
        columns={columns}
        empty={
          <Empty icon="events" title={asked.length > 0 ? 'No event is like that' : 'Nothing happened yet'}>
            {asked.length > 0
              ? 'Take a filter away. Events are kept for 90 days unless the gateway is set otherwise, and of each kind the newest 20,000.'
              : 'Every change is kept here: who made it, from where, what it was before.'}
          </Empty>
        }
      />
      {shown && (
        <Dialog title={EVENTS[shown.kind]?.label ?? shown.kind} onClose={() => show(null)} wide>
          <EventDetail event={shown} nameOf={nameOf} />
        </Dialog>
      )}
    </Panel>
  );
}

function Choice(props: {
  readonly label: string;
  readonly value: string;
  readonly onValue: (value: string) => void;
  readonly all: string;
  readonly children: readonly (readonly [value: string, words: string])[];
}) {
  const { label, value, onValue, all, children } = props;
  return (
    <select
      class="input small"
      aria-label={label}
      value={value}
      onChange={(event) => onValue(event.currentTarget.value)}
    >
      <option value="">{all}</option>
      {children.map(([one, words]) => (
        <option key={one} value={one}>
          {words}
        </option>
      ))}
    </select>
  );
}
