import { Page } from '../ui/page.tsx';
import { EventsList } from './events-list.tsx';

export function GatewayEventsPage() {
  return (
    <Page title="Gateway events" says="What happened to tenants as such, and to the pools that are open to all.">
      <EventsList path="/v1/events" nameOf={() => undefined} things={[]} />
    </Page>
  );
}
