import type { Network } from '../../contract/networks.ts';
import type { Usage } from '../../contract/usage.ts';
import { call } from '../api/call.ts';
import { leaveBy } from '../api/changes.ts';
import { useQuery } from '../api/query.ts';
import { useTenant } from '../api/tenant.tsx';
import { plural } from '../format/number.ts';
import { formatExact } from '../format/time.ts';
import { navigate } from '../route/location.ts';
import { Confirm } from '../ui/confirm.tsx';
import { say } from '../ui/toast.tsx';

interface Props {
  readonly network: Network;
  readonly sites: number;
  readonly onClose: () => void;
}

export function DeleteNetwork({ network, sites, onClose }: Props) {
  const tenant = useTenant();
  const hold = useQuery<Usage>(tenant.api('usage')).data?.vniHoldSeconds;
  const rests =
    hold === undefined
      ? `VNI ${network.vni} rests for a while before anyone can have it.`
      : hold === 0
        ? `VNI ${network.vni} can be given to anyone at once.`
        : `VNI ${network.vni} rests until ${formatExact(Date.now() + hold * 1000)}: nobody can have it before.`;
  return (
    <Confirm
      title={`Delete ${network.name}?`}
      act="Delete the network"
      {...(sites > 0 ? { typed: network.name } : {})}
      onClose={onClose}
      onConfirm={() =>
        leaveBy(async () => {
          await call('DELETE', tenant.api('networks', network.id));
          say(`Network ${network.name} is deleted. ${rests}`);
          navigate(tenant.page('networks'), { replace: true });
        })
      }
    >
      <ul>
        {sites > 0 ? (
          <li>
            {plural(sites, 'site')} {sites === 1 ? 'stops' : 'stop'} carrying it within seconds: its interfaces go, and
            hosts on it lose each other.
          </li>
        ) : (
          <li>No site carries it, so no traffic is cut.</li>
        )}
        <li>Its MAC/IP table goes with it.</li>
        <li>{rests}</li>
      </ul>
    </Confirm>
  );
}
