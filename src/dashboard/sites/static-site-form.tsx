import { useState } from 'preact/hooks';
import type { Site } from '../../contract/sites.ts';
import { call } from '../api/call.ts';
import { changed } from '../api/changes.ts';
import { useTenant } from '../api/tenant.tsx';
import { numberOf } from '../networks/network-draft.ts';
import { navigate } from '../route/location.ts';
import { Form } from '../ui/form.tsx';
import { TextField } from '../ui/inputs.tsx';
import { say } from '../ui/toast.tsx';

/** A site without an agent: a switch, a kernel VTEP, another system's host. */
export function StaticSiteForm({ onDone }: { readonly onDone: () => void }) {
  const tenant = useTenant();
  const [name, setName] = useState('');
  const [address, setAddress] = useState('');
  const [port, setPort] = useState('4789');
  const [where, setWhere] = useState('');
  const body = {
    name: name.trim(),
    kind: 'static',
    vtep: { address: address.trim(), port: numberOf(port) },
    ...(where.trim() === '' ? {} : { where: where.trim() }),
  };
  return (
    <Form
      content={body}
      submit="Add it"
      onCancel={onDone}
      onSubmit={async (idempotencyKey) => {
        const site = await call<Site>('POST', tenant.api('sites'), { body, idempotencyKey });
        changed();
        say(`${site.name} is there. Attach it to networks, and list the other VTEPs on the device.`);
        onDone();
        navigate(tenant.page('sites', site.name));
      }}
    >
      <p class="form-says">
        A hardware switch, a kernel VTEP or another system’s host. It has no agent, so nobody can say whether it is in
        step.
      </p>
      <TextField label="Name" path="name" value={name} onValue={setName} placeholder="leaf-3" autoFocus />
      <div class="field-row">
        <TextField
          label="VTEP address"
          path="vtep.address"
          value={address}
          onValue={setAddress}
          placeholder="192.0.2.7"
          isMono
        />
        <TextField label="UDP port" path="vtep.port" value={port} onValue={setPort} inputMode="numeric" isMono />
      </div>
      <TextField label="Where" path="where" value={where} onValue={setWhere} placeholder="Oslo, hall 2" />
    </Form>
  );
}
