/**
 * What is said to a probe, the program that makes and watches traffic inside a namespace: one JSON object a line. A request carries
 * an id; every answer to it carries the same.
 */

/** ICMP echo. Without `count` it goes on until stopped. Times in milliseconds. */
export interface PingRequest {
  readonly do: 'ping';
  readonly to: string;
  readonly from?: string;
  readonly count?: number;
  readonly intervalMs: number;
  /** How long the last one is waited for. */
  readonly timeoutMs: number;
  /** Bytes of data after the ICMP header. */
  readonly size: number;
}

export interface PingResult {
  readonly sent: number;
  readonly received: number;
  /** One entry for each that was sent: its round trip, or null where no answer came. */
  readonly rttsMs: readonly (number | null)[];
  /** The last error of sending, if any: `ENETUNREACH`, say. */
  readonly sendError?: string;
}

/** Takes one TCP connection and answers it with the SHA-256 of all that came. Says `listening` with its port. */
export interface ReceiveRequest {
  readonly do: 'receive';
  readonly address: string;
  /** 0 for any. */
  readonly port: number;
}

export interface ReceiveResult {
  readonly bytes: number;
}

/** Sends a known pattern over TCP and checks the other end's SHA-256 against its own. */
export interface TransferRequest {
  readonly do: 'transfer';
  readonly to: string;
  readonly port: number;
  readonly from?: string;
  readonly bytes: number;
  readonly timeoutMs: number;
}

export interface TransferResult {
  readonly bytes: number;
  /** From the connection's first SYN to the other end's digest. */
  readonly seconds: number;
  readonly mbitPerSecond: number;
}

/** Sends UDP datagrams with exactly these bytes, in order. */
export interface SendRequest {
  readonly do: 'send';
  readonly to: string;
  readonly port: number;
  readonly from?: string;
  readonly fromPort?: number;
  /** Each datagram's payload, in hex. */
  readonly payloads: readonly string[];
}

/** Reports the frames of an interface until stopped. Says `sniffing` once it listens, then `frames`. */
export interface SniffRequest {
  readonly do: 'sniff';
  readonly dev: string;
  /** Only frames that have these bytes somewhere, in hex. */
  readonly contains?: string;
  /** Bytes kept of each frame. */
  readonly snap: number;
}

export interface SniffedFrame {
  /** `in`: the interface received it; `out`: this host sent it. */
  readonly direction: 'in' | 'out';
  /** On the wire, before `snap` cut it. */
  readonly length: number;
  readonly hex: string;
}

/** How many were seen; more than were reported where `snap` or `contains` left some out. */
export interface SniffResult {
  readonly seen: number;
}

/** Serves a Unix socket, which crosses namespaces, in front of a TCP address. Says `listening`. */
export interface RelayRequest {
  readonly do: 'relay';
  readonly path: string;
  readonly to: string;
  readonly port: number;
}

export interface StopRequest {
  readonly do: 'stop';
}

export type ProbeRequest =
  | PingRequest
  | ReceiveRequest
  | TransferRequest
  | SendRequest
  | SniffRequest
  | RelayRequest
  | StopRequest;

export type ProbeEvent =
  | { readonly event: 'listening'; readonly port: number }
  | { readonly event: 'sniffing' }
  | { readonly event: 'frames'; readonly frames: readonly SniffedFrame[] };

export type ProbeAnswer =
  | ({ readonly id: number } & ProbeEvent)
  | { readonly id: number; readonly event: 'result'; readonly result: unknown }
  | { readonly id: number; readonly event: 'error'; readonly message: string };
