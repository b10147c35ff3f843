/** Attaching a site to a network, from either's page. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Network } from '../../contract/networks.ts';
import type { Site } from '../../contract/sites.ts';
import type { Topology } from '../../contract/topology.ts';
import { call } from '../api/call.ts';
import { changed } from '../api/changes.ts';
import { useTenant, useTopology } from '../api/tenant.tsx';
import { Form } from '../ui/form.tsx';
import { SelectField } from '../ui/inputs.tsx';
import { Skeleton } from '../ui/states.tsx';
import { say } from '../ui/toast.tsx';
import { PortFields, portDraft, portOf } from './port-fields.tsx';

type Choice = { readonly id: string; readonly name: string };
type Kinds = ReadonlyMap<string, Site['kind']>;

/** @param taken ids of the sites that carry it. */
export function AttachSite({
  network,
  taken,
  onDone,
}: {
  network: Network;
  taken: readonly string[];
  onDone: () => void;
}) {
  return (
    <WithTopology>
      {({ sites }) => (
        <AttachForm
          sites={sites.filter(({ id, kind }) => !taken.includes(id) && mayCarry(kind, network))}
          networks={[network]}
          kinds={kindsOf(sites)}
          nothing="Every site that could carries it already."
          onDone={onDone}
        />
      )}
    </WithTopology>
  );
}

export function AttachNetwork({ site, onDone }: { readonly site: Site; readonly onDone: () => void }) {
  const taken = new Set(site.networks.map(({ network }) => network));
  return (
    <WithTopology>
      {({ networks }) => (
        <AttachForm
          sites={[site]}
          networks={networks.filter((one) => !taken.has(one.id) && mayCarry(site.kind, one))}
          kinds={kindsOf([site])}
          nothing="It carries every network that it could."
          onDone={onDone}
        />
      )}
    </WithTopology>
  );
}

function WithTopology({ children }: { readonly children: (topology: Topology) => ComponentChildren }) {
  const { data } = useTopology();
  return data === undefined ? <Skeleton /> : children(data);
}

interface Props {
  readonly sites: readonly Choice[];
  readonly networks: readonly Choice[];
  readonly kinds: Kinds;
  readonly nothing: string;
  readonly onDone: () => void;
}

function AttachForm({ sites, networks, kinds, nothing, onDone }: Props) {
  const tenant = useTenant();
  const [siteId, setSite] = useState(sites[0]?.id ?? '');
  const [networkId, setNetwork] = useState(networks[0]?.id ?? '');
  const [port, setPort] = useState(() => portDraft(networks[0]?.name ?? ''));
  const site = sites.find(({ id }) => id === siteId);
  const network = networks.find(({ id }) => id === networkId);
  if (site === undefined || network === undefined) return <p class="dialog-says">{nothing}</p>;
  const isStatic = kinds.get(site.id) === 'static';
  const body = { port: isStatic ? { type: 'none' } : portOf(port) };

  async function attach(): Promise<void> {
    await call('PUT', tenant.api('sites', site!.id, 'networks', network!.id), { body });
    changed();
    say(`${site!.name} carries ${network!.name}.`);
    onDone();
  }

  return (
    <Form content={[siteId, networkId, body]} submit="Attach" onCancel={onDone} onSubmit={attach}>
      {sites.length > 1 && (
        <SelectField
          label="Site"
          value={siteId}
          onValue={setSite}
          options={sites.map(({ id, name }) => [id, name] as const)}
        />
      )}
      {networks.length > 1 && (
        <SelectField
          label="Network"
          value={networkId}
          onValue={(id) => {
            setNetwork(id);
            setPort(portDraft(networks.find((one) => one.id === id)?.name ?? ''));
          }}
          options={networks.map(({ id, name }) => [id, name] as const)}
        />
      )}
      {isStatic ? (
        <p class="form-says">A static site has no agent: set the network up on the device itself.</p>
      ) : (
        <PortFields draft={port} onDraft={setPort} path="port" />
      )}
    </Form>
  );
}

/** A static site has no agent that could encrypt. */
function mayCarry(kind: Site['kind'], { transport }: Pick<Network, 'transport'>): boolean {
  return kind === 'agent' || transport === 'plain';
}

function kindsOf(sites: readonly { readonly id: string; readonly kind: Site['kind'] }[]): Kinds {
  return new Map(sites.map(({ id, kind }) => [id, kind]));
}
