import { useTenant, useTopology } from '../api/tenant.tsx';
import { Page } from '../ui/page.tsx';
import { EventsList } from './events-list.tsx';
import { useNames } from './use-names.ts';

export function EventsPage() {
  const tenant = useTenant();
  const { data } = useTopology();
  const nameOf = useNames();
  const things = [
    ...(data?.sites ?? []).map(({ id, name }) => ({ kind: 'site' as const, id, name })),
    ...(data?.networks ?? []).map(({ id, name }) => ({ kind: 'network' as const, id, name })),
  ];
  return (
    <Page title="Events" says="Who changed what, from where, before and after; and what happened by itself.">
      <EventsList path={tenant.api('events')} nameOf={nameOf} things={things} />
    </Page>
  );
}
