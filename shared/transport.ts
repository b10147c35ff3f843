/** Requests to one gateway over kept connections, with bounds on time and size. */
import { Agent as HttpAgent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { getCACertificates } from 'node:tls';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { errorCode, reasonOf } from './failure.ts';

/** Silence for this long, while connecting or in the middle of an answer, ends a request. */
const SILENCE_MS = 10_000;
/** And an answer that trickles ends here. */
const WHOLE_MS = 300_000;
/** A table of a million MACs fits. */
const BODY_BYTES = 256 * 2 ** 20;

export interface TransportRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

export interface TransportResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Transport {
  /** @throws Error whose message says in one line why there is no answer. Redirects are not followed. */
  request(request: TransportRequest): Promise<TransportResponse>;
  /** The same connections for what is no request: a WebSocket's handshake. */
  readonly agent: HttpAgent;
  /** Ends what is under way. */
  close(): void;
}

export interface TransportOptions {
  readonly origin: string;
  /** Certificates in PEM, trusted beside the system's own. */
  readonly ca?: string | undefined;
  readonly silenceMs?: number;
  readonly bodyBytes?: number;
}

export function createTransport(options: TransportOptions): Transport {
  const { origin, ca, silenceMs = SILENCE_MS, bodyBytes = BODY_BYTES } = options;
  const secure = origin.startsWith('https:');
  const agent = secure
    ? new HttpsAgent({ keepAlive: true, ...(ca === undefined ? {} : { ca: [...getCACertificates('default'), ca] }) })
    : new HttpAgent({ keepAlive: true });
  let closed = false;
  const start = secure ? httpsRequest : httpRequest;

  function attempt({ method, path, headers, body }: TransportRequest, mayRetry: boolean): Promise<TransportResponse> {
    return new Promise((resolve, reject) => {
      const request = start(new URL(path, origin), {
        method,
        agent,
        timeout: silenceMs,
        signal: AbortSignal.timeout(WHOLE_MS),
        headers: { 'accept-encoding': 'gzip', ...headers },
      });
      // Rejected first: once an answer has begun, `destroy` alone would only say that it was aborted.
      const giveUp = (reason: string): void => {
        reject(new Error(reason));
        request.destroy();
      };
      request.on('timeout', () => giveUp(`no answer within ${silenceMs / 1000} s`));
      request.on('error', (error) => {
        // A kept connection that the other side closed just now says nothing about the gateway.
        if (mayRetry && !closed && request.reusedSocket && errorCode(error) === 'ECONNRESET') {
          resolve(attempt({ method, path, headers, ...(body === undefined ? {} : { body }) }, false));
        } else reject(error);
      });
      request.on('response', (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > bodyBytes) giveUp(`an answer of more than ${bodyBytes} bytes`);
          else chunks.push(chunk);
        });
        response.on('error', reject);
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
        });
      });
      request.end(body);
    });
  }

  return {
    agent,
    async request(request) {
      try {
        return await unzip(await attempt(request, true), bodyBytes);
      } catch (error) {
        throw new Error(explain(error), { cause: error });
      }
    },
    close() {
      closed = true;
      agent.destroy();
    },
  };
}

async function unzip(response: TransportResponse, bodyBytes: number): Promise<TransportResponse> {
  if (response.headers['content-encoding'] !== 'gzip' || response.body.length === 0) return response;
  return { ...response, body: await promisify(gunzip)(response.body, { maxOutputLength: bodyBytes }) };
}

const UNTRUSTED = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

function explain(error: unknown): string {
  const code = errorCode(error) ?? '';
  if (UNTRUSTED.has(code)) return `its certificate is not trusted (${reasonOf(error)}): give its CA with --ca FILE`;
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    return `its certificate is outside its time (${reasonOf(error)}), or this machine's clock is wrong`;
  }
  return reasonOf(error);
}
