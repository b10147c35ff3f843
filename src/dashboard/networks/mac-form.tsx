import { useState } from 'preact/hooks';
import type { Network } from '../../contract/networks.ts';
import { call } from '../api/call.ts';
import { changed } from '../api/changes.ts';
import { useTenant, useTopology } from '../api/tenant.tsx';
import { overviewOf } from '../format/health.ts';
import { Form } from '../ui/form.tsx';
import { SelectField, TextField } from '../ui/inputs.tsx';
import { say } from '../ui/toast.tsx';

export function MacForm({ network, onDone }: { readonly network: Network; readonly onDone: () => void }) {
  const tenant = useTenant();
  const topology = useTopology().data;
  const links = topology === undefined ? [] : overviewOf(topology).links.filter((one) => one.network.id === network.id);
  const [mac, setMac] = useState('');
  const [ip, setIp] = useState('');
  const [site, setSite] = useState('');
  const chosen = site || (links[0]?.site.id ?? '');
  const body = { site: chosen, ...(ip.trim() === '' ? {} : { ip: ip.trim() }) };

  async function save(): Promise<void> {
    await call('PUT', tenant.api('networks', network.id, 'macs', mac.trim().toLowerCase()), { body });
    changed();
    say(`${mac.trim()} is set.`);
    onDone();
  }

  return (
    <Form
      content={[mac, body]}
      submit="Set it"
      canSubmit={mac.trim() !== '' && chosen !== ''}
      onCancel={onDone}
      onSubmit={save}
    >
      <TextField
        label="MAC address"
        value={mac}
        onValue={setMac}
        placeholder="02:00:00:00:00:0a"
        isMono
        autoFocus
        hint="It stays at this site whatever agents announce, until it is taken out."
      />
      <TextField label="IP address" path="ip" value={ip} onValue={setIp} placeholder="10.20.0.10" isMono />
      <SelectField
        label="Site"
        path="site"
        value={chosen}
        onValue={setSite}
        options={links.map((one) => [one.site.id, one.site.name] as const)}
        {...(links.length === 0 ? { hint: 'No site carries this network yet: attach one first.' } : {})}
      />
    </Form>
  );
}
