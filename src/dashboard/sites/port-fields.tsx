import type { PortSpec } from '../../contract/port.ts';
import { numberOf } from '../networks/network-draft.ts';
import { SelectField, TextField } from '../ui/inputs.tsx';

/** A port as it is being typed. */
export interface PortDraft {
  readonly type: 'host' | 'bridge' | 'vlan';
  readonly name: string;
  readonly vid: string;
}

/** An interface's name has 15 characters at most (IFNAMSIZ). */
const MAX_INTERFACE_NAME = 15;

/** @returns what a network is named for on a host: `blue0`. */
export function portDraft(network: string): PortDraft {
  const name = network.replaceAll(/[^A-Za-z0-9_-]/g, '').slice(0, MAX_INTERFACE_NAME - 1);
  return { type: 'host', name: name === '' ? '' : `${name}0`, vid: '' };
}

/** As the gateway takes it; what is wrong in it, the gateway says. */
export function portOf({ type, name, vid }: PortDraft): PortSpec {
  if (type === 'vlan') return { type, interface: name.trim(), vid: numberOf(vid) as number };
  return { type, name: name.trim() };
}

interface Props {
  readonly draft: PortDraft;
  readonly onDraft: (draft: PortDraft) => void;
  /** Where the port stands in the request's body. */
  readonly path: string;
}

export function PortFields({ draft, onDraft, path }: Props) {
  return (
    <div class="field-row">
      <SelectField
        label="Comes out as"
        value={draft.type}
        onValue={(type) => onDraft({ ...draft, type })}
        options={[
          ['host', 'A new interface'],
          ['bridge', 'In a bridge that is there'],
          ['vlan', 'A VLAN of a trunk'],
        ]}
      />
      <TextField
        label={{ host: 'Interface', bridge: 'Bridge', vlan: 'Trunk interface' }[draft.type]}
        path={path}
        value={draft.name}
        onValue={(name) => onDraft({ ...draft, name })}
        isMono
        placeholder={{ host: 'blue0', bridge: 'br0', vlan: 'eth0' }[draft.type]}
      />
      {draft.type === 'vlan' && (
        <TextField
          label="VLAN"
          path={`${path}.vid`}
          value={draft.vid}
          onValue={(vid) => onDraft({ ...draft, vid })}
          inputMode="numeric"
          isMono
        />
      )}
    </div>
  );
}
