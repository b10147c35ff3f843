/** What an operator may choose of how frames are forwarded, the same for all networks of an agent. */

export const DSCP_MODES = ['zero', 'copy'] as const;
/**
 * What the DSCP of the outer header is: 0, as the kernel's VXLAN has it unless told otherwise, or the inner one's. The inner one stays as
 * it is (RFC 2983's pipe model for `zero`): the underlay's classes are its operator's, and no tenant's unless they agree.
 */
export type DscpMode = (typeof DSCP_MODES)[number];

export interface ForwardingRules {
  /** `zero` unless given. */
  readonly dscp?: DscpMode | undefined;
  /** Brings the MSS in TCP's SYNs, both ways, down to what the network carries; not unless given. */
  readonly clampMss?: boolean | undefined;
}
