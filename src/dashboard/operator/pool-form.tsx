import { useState } from 'preact/hooks';
import type { Tenant } from '../../contract/tenants.ts';
import type { VniPool } from '../../contract/vni-pools.ts';
import { call } from '../api/call.ts';
import { changed } from '../api/changes.ts';
import type { Page as ListPage } from '../api/pages.ts';
import { useQuery } from '../api/query.ts';
import { numberOf } from '../networks/network-draft.ts';
import { Form } from '../ui/form.tsx';
import { SelectField, TextField } from '../ui/inputs.tsx';
import { say } from '../ui/toast.tsx';

export function PoolForm({ onDone }: { readonly onDone: () => void }) {
  const tenants = useQuery<ListPage<Tenant>>('/v1/tenants?limit=500').data?.items ?? [];
  const [name, setName] = useState('');
  const [first, setFirst] = useState('');
  const [last, setLast] = useState('');
  const [tenant, setTenant] = useState('');
  const body = {
    name: name.trim(),
    first: numberOf(first),
    last: numberOf(last),
    ...(tenant === '' ? {} : { tenant }),
  };
  return (
    <Form
      content={body}
      submit="Make the pool"
      onCancel={onDone}
      onSubmit={async (idempotencyKey) => {
        const pool = await call<VniPool>('POST', '/v1/vni-pools', { body, idempotencyKey });
        changed();
        say(`The pool ${pool.name} is there.`);
        onDone();
      }}
    >
      <p class="form-says">It is carved out of the free numbers of the shared pool.</p>
      <TextField label="Name" path="name" value={name} onValue={setName} placeholder="acme-dc" autoFocus />
      <div class="field-row">
        <TextField
          label="First VNI"
          path="first"
          value={first}
          onValue={setFirst}
          inputMode="numeric"
          isMono
          placeholder="5000"
        />
        <TextField
          label="Last VNI"
          path="last"
          value={last}
          onValue={setLast}
          inputMode="numeric"
          isMono
          placeholder="5999"
        />
      </div>
      <SelectField
        label="For"
        path="tenant"
        value={tenant}
        onValue={setTenant}
        options={[['', 'Every tenant'] as const, ...tenants.map((one) => [one.slug, one.name] as const)]}
      />
    </Form>
  );
}
