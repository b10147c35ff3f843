import { useState } from 'preact/hooks';
import type { JoinToken } from '../../contract/join-tokens.ts';
import { call } from '../api/call.ts';
import { changed } from '../api/changes.ts';
import { useTenant, useTopology } from '../api/tenant.tsx';
import { numberOf } from '../networks/network-draft.ts';
import { joinCommand } from '../sites/join-command.ts';
import { portDraft, portOf } from '../sites/port-fields.tsx';
import { Copyable } from '../ui/copy.tsx';
import { Form } from '../ui/form.tsx';
import { CheckField, SelectField, TextField } from '../ui/inputs.tsx';

const SPANS = [
  ['3600', 'An hour'],
  ['86400', 'A day'],
  ['604800', 'A week'],
  ['2592000', '30 days'],
] as const;

/** A token for hosts that are set up alike, many of them with one. */
export function TokenForm({ onDone }: { readonly onDone: () => void }) {
  const tenant = useTenant();
  const networks = useTopology().data?.networks ?? [];
  const [name, setName] = useState('');
  const [uses, setUses] = useState('10');
  const [span, setSpan] = useState<(typeof SPANS)[number][0]>('86400');
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [made, setMade] = useState<string | null>(null);
  const body = {
    ...(name.trim() === '' ? {} : { name: name.trim() }),
    maxUses: numberOf(uses),
    expiresInSeconds: Number(span),
    networks: networks
      .filter(({ id }) => chosen.includes(id))
      .map((one) => ({ network: one.id, port: portOf(portDraft(one.name)) })),
  };
  if (made !== null) {
    const command = joinCommand('npm run -s agent --', {
      gateway: globalThis.location.origin,
      token: made,
      name: '',
      vtepAddress: '',
    });
    return (
      <div class="dialog-body">
        <p>It is shown this once. On each host, as root:</p>
        <Copyable text={command} label="the command that joins" />
        <footer class="form-foot">
          <button type="button" class="button primary" onClick={onDone}>
            Done
          </button>
        </footer>
      </div>
    );
  }
  return (
    <Form
      content={body}
      submit="Make the token"
      onCancel={onDone}
      onSubmit={async (idempotencyKey) => {
        const token = await call<JoinToken & { token: string }>('POST', tenant.api('join-tokens'), {
          body,
          idempotencyKey,
        });
        changed();
        setMade(token.token);
      }}
    >
      <TextField label="Name" path="name" value={name} onValue={setName} placeholder="Branch offices" autoFocus />
      <div class="field-row">
        <TextField label="Uses" path="maxUses" value={uses} onValue={setUses} inputMode="numeric" isMono />
        <SelectField label="Good for" path="expiresInSeconds" value={span} onValue={setSpan} options={SPANS} />
      </div>
      <fieldset>
        <legend>Attaches each site to</legend>
        {networks.length === 0 && <p class="hint">There are no networks yet.</p>}
        {networks.map(({ id, name: network, vni }) => (
          <CheckField
            key={id}
            label={network}
            hint={`VNI ${vni}, as the interface ${portDraft(network).name}`}
            checked={chosen.includes(id)}
            onChecked={(checked) => setChosen(checked ? [...chosen, id] : chosen.filter((one) => one !== id))}
          />
        ))}
      </fieldset>
    </Form>
  );
}
