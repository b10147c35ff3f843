/** Why frames are dropped, by the agent's counters: what each means, and what to do. A test holds the names to the agent's. */

export interface DropReason {
  readonly title: string;
  readonly means: string;
  readonly advice: string;
}

export const DROP_REASONS: Readonly<Record<string, DropReason>> = {
  dropTruncatedHeader: {
    title: 'Truncated header',
    means: 'A datagram came on the VXLAN port that is too short to be VXLAN.',
    advice:
      'A few are scans or noise. Many: look for what sends to this port, and let the firewall pass known VTEPs only.',
  },
  dropAmbiguousTrain: {
    title: 'Ambiguous train',
    means: 'What the kernel had put together could be read as one frame or as several, so none of it was taken.',
    advice: 'It takes intent to make one: find the VTEP or host that sends it.',
  },
  dropNoVniFlag: {
    title: 'No VNI flag',
    means: 'A datagram without the I flag of RFC 7348, so it names no network.',
    advice: 'Something other than VXLAN uses the port: GPE or another overlay. Give one of them another port.',
  },
  dropUnlistedProbe: {
    title: 'Unlisted probe',
    means: 'An agent asked what the path is like, from an address and port that the registry does not list.',
    advice: 'A site behind NAT or with another address than registered. Compare the site’s VTEP address.',
  },
  dropProbeLimit: {
    title: 'Too many probes',
    means: 'More questions about the path came in a second than are answered.',
    advice: 'No agent asks so often: find out who sends by the VTEP’s address.',
  },
  dropUnknownVni: {
    title: 'Unknown VNI',
    means: 'Frames of a network that this site does not carry.',
    advice: 'Usual for seconds after a detach. If it goes on, find the VTEP that still lists this site.',
  },
  dropUnlistedVtep: {
    title: 'Unlisted VTEP',
    means: 'Frames from an address that the registry does not list for this network.',
    advice:
      'A site behind NAT or with another address than registered, or somebody injecting. Compare the site’s VTEP address.',
  },
  dropInnerRunt: {
    title: 'Runt frame',
    means: 'The frame inside was too short for Ethernet.',
    advice: 'A faulty sender. Find it by the VTEP that sends such frames.',
  },
  dropInnerVlan: {
    title: 'Tagged frame',
    means: 'The frame inside had a VLAN tag, which VXLAN does not carry (RFC 7348 §6.1).',
    advice: 'Take the tag off at the port where the frame enters.',
  },
  dropBadSource: {
    title: 'Bad source MAC',
    means: 'The source MAC address was a group address or zero.',
    advice: 'A faulty driver or a forged frame on a port of the network.',
  },
  dropSpoofedSource: {
    title: 'Spoofed source',
    means: 'The source MAC address is registered at another site than the one that sent it.',
    advice: 'A station that moved is followed in seconds. If it goes on, somebody uses another’s address.',
  },
  dropCongested: {
    title: 'Congestion not to be passed on',
    means:
      'The underlay marked congestion on a packet whose sender can’t be told by a mark (RFC 6040): a drop tells it.',
    advice: 'The underlay is full somewhere: give it more bandwidth, or let the hosts use ECN.',
  },
  dropSplitHorizon: {
    title: 'Split horizon',
    means: 'A frame from the underlay would have gone back into it.',
    advice: 'Nothing to do: this keeps loops out. Very many point to a bridge loop behind two sites.',
  },
  dropSamePort: {
    title: 'Same port',
    means: 'The destination is on the port that the frame came from.',
    advice: 'Nothing to do: the stations reach each other without the overlay.',
  },
  dropNoDestination: {
    title: 'No destination',
    means: 'Nobody to send it to: the network has no other site, or does not flood.',
    advice: 'Attach another site, or let the network flood.',
  },
  dropFloodLimit: {
    title: 'Flood limit',
    means: 'More broadcast, multicast and unknown destinations than a site may flood.',
    advice: 'Look for a loop or a broadcast storm. ARP suppression takes most ARP away.',
  },
  dropNoPort: {
    title: 'No port',
    means: 'Frames came for a network whose port is not there.',
    advice: 'See the error of the network at this site: a missing bridge, or a name that is taken.',
  },
  dropBadChecksum: {
    title: 'Bad checksum',
    means: 'A checksum inside or outside was wrong.',
    advice: 'Faulty hardware or offloads on the way. Check cables and the network card’s offload settings.',
  },
  dropTooBig: {
    title: 'Too big',
    means: 'Larger than the underlay passes. The sender is told (ICMP “too big”).',
    advice: 'Set the MTU of the hosts to the network’s, or raise the underlay’s MTU.',
  },
  dropPortBusy: {
    title: 'Port busy',
    means: 'The host did not take frames fast enough.',
    advice: 'The host is short of processor time, or its interface is down.',
  },
  dropUnderlayBusy: {
    title: 'Underlay busy',
    means: 'The underlay’s send queue was full.',
    advice: 'The link is full: shape the traffic, or give it more bandwidth.',
  },
  dropUnreachable: {
    title: 'Unreachable',
    means: 'The kernel had no route to the other site, or was told that it is unreachable.',
    advice: 'Check routes and firewalls between the VTEP addresses, UDP 4789.',
  },
};

/** A newer agent may count what this page doesn't know. */
export function dropReason(name: string): DropReason {
  return (
    DROP_REASONS[name] ?? {
      title: name.replace(/^drop/, '').replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`),
      means: 'This page does not know the counter: the agent is newer.',
      advice: 'See the agent’s documentation.',
    }
  );
}

export interface Drop {
  readonly name: string;
  readonly count: number;
}

/** @returns the reasons that counted something, most first. */
export function dropsOf(counters: Readonly<Record<string, number>>): Drop[] {
  return Object.entries(counters)
    .filter(([name, count]) => name.startsWith('drop') && count > 0)
    .map(([name, count]) => ({ name, count }))
    .sort((a, b) => b.count - a.count);
}
