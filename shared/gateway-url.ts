/** Where the gateway is, checked before a secret is sent there. */
import { Failure } from './failure.ts';

/**
 * @param setting where `text` is from, as the message of an error names it
 * @returns the gateway's origin, `https://host[:port]`.
 * @throws Failure where `text` is no such address, or is plain http to anything but this machine without leave.
 */
export function parseGatewayUrl(text: string, allowPlainHttp: boolean, setting = '--gateway'): string {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:') || url.host === '') {
    throw new Failure(
      'configuration',
      `${setting} must be an address such as https://gateway.example.net, not ${text}`,
    );
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '' || url.username !== '' || url.password !== '') {
    throw new Failure('configuration', `${setting} must be the gateway's address alone: ${url.origin}`);
  }
  if (url.protocol === 'http:' && !allowPlainHttp && !isLoopback(url.hostname)) {
    throw new Failure(
      'configuration',
      `${setting} ${url.origin} is plain http, which anyone on the way can read and change: use https, or say --allow-plain-http`,
    );
  }
  return url.origin;
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
}
