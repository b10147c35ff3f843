import type { Event } from '../../contract/events.ts';
import { describeEvent, EVENTS, type NameOf } from '../format/event.ts';
import { Dot } from '../ui/status.tsx';
import { Time } from '../ui/time.tsx';

export function EventLine({ event, nameOf }: { readonly event: Event; readonly nameOf: NameOf }) {
  const { who, what } = describeEvent(event, nameOf);
  return (
    <>
      <Dot tone={EVENTS[event.kind]?.tone ?? 'off'} />
      <span class="grow">
        <strong>{who}</strong> {what}
      </span>
      <span class="faint">
        <Time at={event.at} />
      </span>
    </>
  );
}
