import { useState } from 'preact/hooks';
import type { ApiKey, ApiKeyCreated, Role } from '../../contract/tenants.ts';
import { call } from '../api/call.ts';
import { changed } from '../api/changes.ts';
import { useTenant } from '../api/tenant.tsx';
import { Copyable } from '../ui/copy.tsx';
import { Form } from '../ui/form.tsx';
import { SelectField, TextField } from '../ui/inputs.tsx';

interface Props {
  readonly onMade: (key: ApiKeyCreated) => void;
  readonly onCancel: () => void;
}

const ENDS = [
  ['', 'Never'],
  ['30', 'In 30 days'],
  ['90', 'In 90 days'],
  ['365', 'In a year'],
] as const;
const DAY_MS = 86_400_000;

export function KeyForm({ onMade, onCancel }: Props) {
  const tenant = useTenant();
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('viewer');
  const [ends, setEnds] = useState<(typeof ENDS)[number][0]>('');
  const body = { name: name.trim(), role };
  return (
    <Form
      content={[body, ends]}
      submit="Make the key"
      onCancel={onCancel}
      onSubmit={async (idempotencyKey) => {
        // To the day, so that the same form sent again is the same request.
        const expiresAt = new Date(Math.ceil(Date.now() / DAY_MS) * DAY_MS + Number(ends) * DAY_MS).toISOString();
        const sent = { ...body, ...(ends === '' ? {} : { expiresAt }) };
        const key = await call<ApiKeyCreated>('POST', tenant.api('api-keys'), { body: sent, idempotencyKey });
        changed();
        onMade(key);
      }}
    >
      <TextField
        label="Name"
        path="name"
        value={name}
        onValue={setName}
        placeholder="Ada’s laptop"
        autoFocus
        hint="Who or what uses it: it stands in the events."
      />
      <div class="field-row">
        <SelectField
          label="Role"
          path="role"
          value={role}
          onValue={setRole}
          options={[
            ['viewer', 'Viewer: looks'],
            ['admin', 'Admin: changes things'],
          ]}
        />
        <SelectField label="Ends" path="expiresAt" value={ends} onValue={setEnds} options={ENDS} />
      </div>
    </Form>
  );
}

const OVERLAPS = [
  ['0', 'At once'],
  ['3600', 'In an hour'],
  ['86400', 'In a day'],
  ['604800', 'In a week'],
] as const;

export function RotateForm({ of, onMade, onCancel }: Props & { readonly of: ApiKey }) {
  const tenant = useTenant();
  const [overlap, setOverlap] = useState<(typeof OVERLAPS)[number][0]>('86400');
  const body = { overlapSeconds: Number(overlap) };
  return (
    <Form
      content={body}
      submit="Rotate"
      onCancel={onCancel}
      onSubmit={async (idempotencyKey) => {
        const key = await call<ApiKeyCreated>('POST', tenant.api('api-keys', of.id, 'rotate'), {
          body,
          idempotencyKey,
        });
        changed();
        onMade(key);
      }}
    >
      <p class="form-says">A new key of the same name and role is made; the old one goes on working until it ends.</p>
      <SelectField
        label="The old one ends"
        path="overlapSeconds"
        value={overlap}
        onValue={setOverlap}
        options={OVERLAPS}
      />
    </Form>
  );
}

export function NewKey({ made, onDone }: { readonly made: ApiKeyCreated; readonly onDone: () => void }) {
  return (
    <div class="dialog-body">
      <p>It is shown this once: keep it where secrets are kept.</p>
      <Copyable text={made.key} label="the key" />
      <footer class="form-foot">
        <button type="button" class="button primary" onClick={onDone}>
          I have it
        </button>
      </footer>
    </div>
  );
}
