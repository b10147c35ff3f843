import type { Event } from '../../contract/events.ts';
import { describeEvent, type NameOf } from '../format/event.ts';
import { formatExact } from '../format/time.ts';
import { Facts } from '../ui/page.tsx';

/** All that is known of an event: what it was and what it became, field by field. */
export function EventDetail({ event, nameOf }: { readonly event: Event; readonly nameOf: NameOf }) {
  const { who, what } = describeEvent(event, nameOf);
  const [before, after] = [fieldsOf(event.before), fieldsOf(event.after)];
  const fields = [...new Set([...before.keys(), ...after.keys()])];
  return (
    <div class="dialog-body">
      <p>
        <strong>{who}</strong> {what}.
      </p>
      <Facts
        items={[
          ['When', formatExact(event.at)],
          ['By', `${event.actor.kind}${event.actor.id === undefined ? '' : ` ${event.actor.id}`}`],
          ['From', event.address],
          ['Request', event.requestId],
          ['About', event.subject],
          ['Revision', event.revision],
        ]}
      />
      {fields.length > 0 && (
        <table class="changes">
          <thead>
            <tr>
              <th scope="col">Field</th>
              <th scope="col">Before</th>
              <th scope="col">After</th>
            </tr>
          </thead>
          <tbody>
            {fields.map((field) => (
              <tr key={field} class={before.get(field) === after.get(field) ? 'same' : ''}>
                <th scope="row">{field}</th>
                <td>{before.get(field) ?? '–'}</td>
                <td>{after.get(field) ?? '–'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}

function fieldsOf(picture: unknown): Map<string, string> {
  if (typeof picture !== 'object' || picture === null) return new Map();
  return new Map(
    Object.entries(picture).flatMap(([field, value]) =>
      value === null ? [] : [[field, typeof value === 'string' ? value : JSON.stringify(value)] as const],
    ),
  );
}
