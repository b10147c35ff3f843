import { useState } from 'preact/hooks';
import type { Network } from '../../contract/networks.ts';
import { call } from '../api/call.ts';
import { changed } from '../api/changes.ts';
import { useTenant } from '../api/tenant.tsx';
import { Form } from '../ui/form.tsx';
import { CheckField, SelectField, TextField } from '../ui/inputs.tsx';
import { say } from '../ui/toast.tsx';
import { type NetworkDraft, networkBody, networkDraft } from './network-draft.ts';

interface Props {
  /** The network that is edited; without it, one is made. */
  readonly network?: Network;
  readonly onDone: (network: Network) => void;
  readonly onCancel: () => void;
}

export function NetworkForm({ network, onDone, onCancel }: Props) {
  const tenant = useTenant();
  const [draft, setDraft] = useState<NetworkDraft>(() => networkDraft(network));
  const set =
    <Name extends keyof NetworkDraft>(name: Name) =>
    (value: NetworkDraft[Name]) =>
      setDraft({ ...draft, [name]: value });
  const body = networkBody(draft, network);

  async function save(idempotencyKey: string): Promise<void> {
    const saved =
      network === undefined
        ? await call<Network>('POST', tenant.api('networks'), { body, idempotencyKey })
        : await call<Network>('PATCH', tenant.api('networks', network.id), { body });
    say(network === undefined ? `Network ${saved.name} has VNI ${saved.vni}.` : `Network ${saved.name} is changed.`);
    changed();
    onDone(saved);
  }

  return (
    <Form
      content={body}
      submit={network === undefined ? 'Make the network' : 'Save'}
      onSubmit={save}
      onCancel={onCancel}
    >
      <TextField
        label="Name"
        path="name"
        value={draft.name}
        onValue={set('name')}
        placeholder="blue"
        autoFocus
        hint="Letters, digits, dots, hyphens and underscores."
      />
      {network === undefined && (
        <TextField
          label="VNI"
          path="vni"
          value={draft.vni}
          onValue={set('vni')}
          placeholder="the lowest free one"
          inputMode="numeric"
          isMono
          hint="A network keeps its VNI for life. Leave it empty unless other equipment needs a certain one."
        />
      )}
      <div class="field-row">
        <TextField
          label="MTU"
          path="mtu"
          value={draft.mtu}
          onValue={set('mtu')}
          inputMode="numeric"
          isMono
          hint="Of the ports, in bytes; less where the underlay leaves less."
        />
        <TextField
          label="Subnet"
          path="subnet"
          value={draft.subnet}
          onValue={set('subnet')}
          placeholder="10.20.0.0/24"
          isMono
          hint="For people: nothing is enforced by it."
        />
      </div>
      <TextField label="Description" path="description" value={draft.description} onValue={set('description')} />
      <SelectField
        label="Between sites"
        path="transport"
        value={draft.transport}
        onValue={set('transport')}
        hint="Encrypted takes WireGuard at each of its sites (the kernel’s, or wireguard-go), and leaves 80 bytes less in a frame; static sites can’t take part."
        options={[
          ...(network === undefined ? ([['', 'As the tenant has it']] as const) : []),
          ['plain', 'Plain VXLAN'],
          ['wireguard', 'Encrypted, by WireGuard'],
        ]}
      />
      <div class="field-row">
        <SelectField
          label="Unknown and broadcast"
          path="flood"
          value={draft.flood}
          onValue={set('flood')}
          options={[
            ['headend', 'Sent to every site'],
            ['multicast', 'By a multicast group'],
            ['none', 'Dropped'],
          ]}
        />
        <SelectField
          label="Source check"
          path="antiSpoof"
          value={draft.antiSpoof}
          onValue={set('antiSpoof')}
          options={[
            ['vtep', 'The VTEP must be listed'],
            ['strict', 'The MAC must be that site’s too'],
            ['off', 'None'],
          ]}
        />
      </div>
      {draft.flood === 'multicast' && (
        <TextField
          label="Multicast group"
          path="multicastGroup"
          value={draft.multicastGroup}
          onValue={set('multicastGroup')}
          placeholder="239.1.1.1"
          isMono
        />
      )}
      <CheckField
        label="Answer ARP at the asking site"
        hint="From the registry’s MAC/IP table, so that such questions need not be flooded."
        checked={draft.arpSuppression}
        onChecked={set('arpSuppression')}
      />
    </Form>
  );
}
