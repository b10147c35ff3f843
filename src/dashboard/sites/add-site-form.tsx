import { useState } from 'preact/hooks';
import type { JoinToken } from '../../contract/join-tokens.ts';
import { call } from '../api/call.ts';
import { changed } from '../api/changes.ts';
import { useTenant, useTopology } from '../api/tenant.tsx';
import { Form } from '../ui/form.tsx';
import { CheckField, TextField } from '../ui/inputs.tsx';
import { Skeleton } from '../ui/states.tsx';
import { type PortDraft, PortFields, portDraft, portOf } from './port-fields.tsx';

export type MadeToken = JoinToken & {
  readonly token: string;
  /** What was filled in beside it: they stand in the command. */
  readonly siteName: string;
  readonly vtepAddress: string;
  readonly gateway: string;
};

/** A token for one site is good for a day. */
const TOKEN_SECONDS = 24 * 3600;

export function AddSiteForm({ onMade }: { readonly onMade: (made: MadeToken) => void }) {
  const tenant = useTenant();
  const networks = useTopology().data?.networks;
  const [siteName, setSiteName] = useState('');
  const [vtepAddress, setVtepAddress] = useState('');
  const [gateway, setGateway] = useState(globalThis.location.origin);
  const [ports, setPorts] = useState<Readonly<Record<string, PortDraft>>>({});
  if (networks === undefined) return <Skeleton rows={5} height={28} />;

  const chosen = networks.filter(({ id }) => ports[id] !== undefined);
  const body = {
    ...(siteName.trim() === '' ? {} : { name: `For ${siteName.trim()}` }),
    maxUses: 1,
    expiresInSeconds: TOKEN_SECONDS,
    networks: chosen.map(({ id }) => ({ network: id, port: portOf(ports[id]!) })),
  };

  async function make(idempotencyKey: string): Promise<void> {
    const token = await call<JoinToken & { readonly token: string }>('POST', tenant.api('join-tokens'), {
      body,
      idempotencyKey,
    });
    changed();
    onMade({ ...token, siteName: siteName.trim(), vtepAddress: vtepAddress.trim(), gateway: gateway.trim() });
  }

  return (
    <Form content={body} submit="Make the command" onSubmit={make}>
      <div class="field-row">
        <TextField label="Name" value={siteName} onValue={setSiteName} placeholder="the host’s own name" autoFocus />
        <TextField
          label="VTEP address"
          value={vtepAddress}
          onValue={setVtepAddress}
          placeholder="as the gateway sees it"
          isMono
          hint="Where other sites send VXLAN to."
        />
      </div>
      <fieldset>
        <legend>Networks</legend>
        {networks.length === 0 && <p class="hint">There are none yet: it can be attached later.</p>}
        {networks.map(({ id, name, vni }, i) => (
          <div key={id} class="network-choice">
            <CheckField
              label={name}
              hint={`VNI ${vni}`}
              checked={ports[id] !== undefined}
              onChecked={(checked) => {
                const { [id]: _, ...others } = ports;
                setPorts(checked ? { ...others, [id]: portDraft(name) } : others);
              }}
            />
            {ports[id] !== undefined && (
              <PortFields
                draft={ports[id]}
                onDraft={(draft) => setPorts({ ...ports, [id]: draft })}
                path={`networks.${chosen.findIndex((one) => one.id === id)}.port`}
                key={i}
              />
            )}
          </div>
        ))}
      </fieldset>
      <details>
        <summary>The site reaches the gateway by another address</summary>
        <TextField
          label="Gateway"
          value={gateway}
          onValue={setGateway}
          isMono
          hint="It is part of what the agent signs: behind a proxy, set OVERLANE_ORIGIN to it."
        />
      </details>
    </Form>
  );
}
