/** Why a VNI that was asked for can't be had. */
import { Refusal } from './refusal.ts';

export interface VniStanding {
  /** True where the pool that the number belongs to is this tenant's or shared. */
  readonly poolIsOpen: boolean;
  readonly inUse: boolean;
  /** When its quarantine ends, in milliseconds since 1970, where it rests. */
  readonly quarantinedUntil: number | null;
}

/** The pool comes first: of a number that is another tenant's, nothing more is said. */
export function explainUnavailable(vni: number, standing: VniStanding): Refusal {
  if (!standing.poolIsOpen) {
    return new Refusal('vni_out_of_range', `VNI ${vni} is in no pool open to this tenant.`);
  }
  if (standing.inUse) return new Refusal('vni_taken', `VNI ${vni} is in use.`);
  if (standing.quarantinedUntil !== null) {
    const until = new Date(standing.quarantinedUntil).toISOString();
    return new Refusal('vni_quarantined', `VNI ${vni} was released and rests until ${until}.`, { until });
  }
  return new Refusal('conflict', `VNI ${vni} changed hands at this moment; try again.`);
}
