import { useState } from 'preact/hooks';
import type { Tenant } from '../../contract/tenants.ts';
import { call } from '../api/call.ts';
import { changed } from '../api/changes.ts';
import { numberOf } from '../networks/network-draft.ts';
import { Form } from '../ui/form.tsx';
import { SelectField, TextField } from '../ui/inputs.tsx';
import { say } from '../ui/toast.tsx';
import { FIRST_LIMITS } from './tenant-limits.ts';

interface Props {
  readonly tenant?: Tenant;
  readonly onDone: (tenant: Tenant) => void;
  readonly onCancel: () => void;
}

export function TenantForm({ tenant, onDone, onCancel }: Props) {
  const limits = tenant?.limits ?? FIRST_LIMITS;
  const [slug, setSlug] = useState('');
  const [name, setName] = useState(tenant?.name ?? '');
  const [networks, setNetworks] = useState(String(limits.networks));
  const [sites, setSites] = useState(String(limits.sites));
  const [macs, setMacs] = useState(String(limits.macsPerNetwork));
  const [transport, setTransport] = useState(tenant?.transport ?? 'plain');
  const body = {
    ...(tenant === undefined ? { slug: slug.trim() } : {}),
    name: name.trim(),
    limits: { networks: numberOf(networks), sites: numberOf(sites), macsPerNetwork: numberOf(macs) },
    transport,
  };
  return (
    <Form
      content={body}
      submit={tenant === undefined ? 'Make the tenant' : 'Save'}
      onCancel={onCancel}
      onSubmit={async (idempotencyKey) => {
        const saved =
          tenant === undefined
            ? await call<Tenant>('POST', '/v1/tenants', { body, idempotencyKey })
            : await call<Tenant>('PATCH', `/v1/tenants/${encodeURIComponent(tenant.slug)}`, { body });
        changed();
        say(tenant === undefined ? `${saved.name} is there: make its admin a key.` : `${saved.name} is changed.`);
        onDone(saved);
      }}
    >
      <TextField label="Name" path="name" value={name} onValue={setName} placeholder="Acme Ltd" autoFocus />
      {tenant === undefined && (
        <TextField
          label="Slug"
          path="slug"
          value={slug}
          onValue={setSlug}
          placeholder="acme"
          isMono
          hint="It stands in every address of the tenant, and stays."
        />
      )}
      <div class="field-row">
        <TextField
          label="Networks"
          path="limits.networks"
          value={networks}
          onValue={setNetworks}
          inputMode="numeric"
          isMono
        />
        <TextField label="Sites" path="limits.sites" value={sites} onValue={setSites} inputMode="numeric" isMono />
        <TextField
          label="MACs a network"
          path="limits.macsPerNetwork"
          value={macs}
          onValue={setMacs}
          inputMode="numeric"
          isMono
        />
      </div>
      <SelectField
        label="Between sites"
        path="transport"
        value={transport}
        onValue={setTransport}
        options={[
          ['plain', 'Plain VXLAN, unless a network says otherwise'],
          ['wireguard', 'All of its networks must be encrypted'],
        ]}
      />
    </Form>
  );
}
