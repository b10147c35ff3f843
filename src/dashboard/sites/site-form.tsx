import { useState } from 'preact/hooks';
import type { Site } from '../../contract/sites.ts';
import { call } from '../api/call.ts';
import { changed } from '../api/changes.ts';
import { useTenant } from '../api/tenant.tsx';
import { numberOf } from '../networks/network-draft.ts';
import { Form } from '../ui/form.tsx';
import { TextField } from '../ui/inputs.tsx';
import { say } from '../ui/toast.tsx';
import { formatLabels, parseLabels } from './labels.ts';

interface Props {
  readonly site: Site;
  readonly onDone: (site: Site) => void;
  readonly onCancel: () => void;
}

export function SiteForm({ site, onDone, onCancel }: Props) {
  const tenant = useTenant();
  const [name, setName] = useState(site.name);
  const [where, setWhere] = useState(site.where ?? '');
  const [labels, setLabels] = useState(formatLabels(site.labels));
  const [address, setAddress] = useState(site.vtep.address);
  const [port, setPort] = useState(String(site.vtep.port));
  const isMoved = address !== site.vtep.address || port !== String(site.vtep.port);
  const body = {
    ...(name === site.name ? {} : { name: name.trim() }),
    ...(where === (site.where ?? '') ? {} : { where: where.trim() || null }),
    ...(labels === formatLabels(site.labels) ? {} : { labels: parseLabels(labels) }),
    ...(isMoved ? { vtep: { address: address.trim(), port: numberOf(port) } } : {}),
  };
  return (
    <Form
      content={body}
      submit="Save"
      onCancel={onCancel}
      onSubmit={async () => {
        const saved = await call<Site>('PATCH', tenant.api('sites', site.id), { body });
        changed();
        say(`${saved.name} is changed.`);
        onDone(saved);
      }}
    >
      <TextField label="Name" path="name" value={name} onValue={setName} autoFocus />
      <TextField label="Where" path="where" value={where} onValue={setWhere} placeholder="Oslo, hall 2" />
      <TextField
        label="Labels"
        path="labels"
        value={labels}
        onValue={setLabels}
        placeholder="region=no, rack=4"
        hint="Name=value, with commas between them."
      />
      <div class="field-row">
        <TextField label="VTEP address" path="vtep.address" value={address} onValue={setAddress} isMono />
        <TextField label="UDP port" path="vtep.port" value={port} onValue={setPort} inputMode="numeric" isMono />
      </div>
      {isMoved && (
        <p class="form-says">
          Every other site of its networks sends there from now on: the site must take VXLAN at that address.
        </p>
      )}
    </Form>
  );
}
