import { useState } from 'preact/hooks';
import type { Member } from '../../contract/members.ts';
import type { Role } from '../../contract/tenants.ts';
import { call } from '../api/call.ts';
import { changed } from '../api/changes.ts';
import { usePages } from '../api/pages.ts';
import { methods } from '../api/session.ts';
import { useStore } from '../api/store.ts';
import { useTenant } from '../api/tenant.tsx';
import { Confirm } from '../ui/confirm.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { Form } from '../ui/form.tsx';
import { Icon } from '../ui/icons.tsx';
import { SelectField, TextField } from '../ui/inputs.tsx';
import { Listing } from '../ui/listing.tsx';
import { Panel } from '../ui/page.tsx';
import { Empty } from '../ui/states.tsx';
import { Pill } from '../ui/status.tsx';
import type { Column } from '../ui/table.tsx';
import { Time } from '../ui/time.tsx';
import { say } from '../ui/toast.tsx';

const ROLES = [
  ['viewer', 'Viewer: looks'],
  ['admin', 'Admin: changes things'],
] as const satisfies readonly (readonly [Role, string])[];

/** People whom the identity provider knows, and what they may do here. */
export function MembersPanel() {
  const tenant = useTenant();
  const oidc = useStore(methods);
  const members = usePages<Member>(tenant.api('members'));
  const [isNew, setNew] = useState(false);
  const [leaving, setLeaving] = useState<Member | null>(null);

  async function turn(member: Member): Promise<void> {
    const role: Role = member.role === 'admin' ? 'viewer' : 'admin';
    try {
      await call('PATCH', tenant.api('members', member.id), { body: { role } });
      changed();
      say(`${whoIs(member)} is ${role === 'admin' ? 'an admin' : 'a viewer'} now.`);
    } catch (error) {
      say((error as Error).message, 'bad');
    }
  }

  const columns: readonly Column<Member>[] = [
    { head: 'Who', by: whoIs, cell: whoIs },
    {
      head: 'Role',
      by: ({ role }) => role,
      cell: ({ role }) => <Pill tone={role === 'admin' ? 'accent' : 'off'}>{role}</Pill>,
    },
    {
      head: 'Added',
      from: 'tablet',
      by: ({ createdAt }) => createdAt,
      cell: ({ createdAt }) => <Time at={createdAt} />,
    },
    ...(tenant.mayWrite
      ? [
          {
            head: 'Actions',
            cell: (member: Member) => (
              <span class="row-actions">
                <button type="button" class="button quiet small" onClick={() => void turn(member)}>
                  Make {member.role === 'admin' ? 'viewer' : 'admin'}
                </button>
                <button
                  type="button"
                  class="button quiet small"
                  aria-label={`Remove ${whoIs(member)}`}
                  onClick={() => setLeaving(member)}
                >
                  Remove
                </button>
              </span>
            ),
          },
        ]
      : []),
  ];

  return (
    <Panel
      title="Members"
      flush
      actions={
        tenant.mayWrite && (
          <button type="button" class="button" onClick={() => setNew(true)}>
            <Icon name="plus" />
            Add a member
          </button>
        )
      }
    >
      <Listing
        of={members}
        likely={2}
        label="Members"
        keyOf={({ id }) => id}
        columns={columns}
        empty={
          <Empty icon="tenants" title="No members yet">
            {oidc === null
              ? 'Members sign in by an identity provider, and this gateway has none: whoever runs it can set one. Until then, keys let people in.'
              : `Whoever is listed here gets in by ${oidc.name}, with the role that you give them.`}
          </Empty>
        }
      />
      {isNew && (
        <Dialog title="Add a member" onClose={() => setNew(false)}>
          <MemberForm onDone={() => setNew(false)} />
        </Dialog>
      )}
      {leaving && (
        <Confirm
          title={`Remove ${whoIs(leaving)}?`}
          act="Remove them"
          onClose={() => setLeaving(null)}
          onConfirm={async () => {
            await call('DELETE', tenant.api('members', leaving.id));
            changed();
            say(`${whoIs(leaving)} is no member any more.`);
          }}
        >
          <p>
            Their sessions here end at once, and the identity provider lets them in no more. What they did stays in the
            events.
          </p>
        </Confirm>
      )}
    </Panel>
  );
}

function MemberForm({ onDone }: { readonly onDone: () => void }) {
  const tenant = useTenant();
  const [who, setWho] = useState('');
  const [role, setRole] = useState<Role>('viewer');
  const isEmail = who.includes('@');
  const body = { ...(isEmail ? { email: who.trim() } : { subject: who.trim() }), role };
  return (
    <Form
      content={body}
      submit="Add them"
      onCancel={onDone}
      onSubmit={async (idempotencyKey) => {
        const member = await call<Member>('POST', tenant.api('members'), { body, idempotencyKey });
        changed();
        say(`${whoIs(member)} is a member.`);
        onDone();
      }}
    >
      <TextField
        label="E-mail address, or subject"
        path={isEmail ? 'email' : 'subject'}
        value={who}
        onValue={setWho}
        placeholder="ada@example.com"
        autoFocus
        hint="As the identity provider says it, which must have verified the address."
      />
      <SelectField label="Role" path="role" value={role} onValue={setRole} options={ROLES} />
    </Form>
  );
}

function whoIs({ email, subject, id }: Member): string {
  return email ?? subject ?? id;
}
