/** The gateway's HTTP API through a Unix socket, as the demo's operator uses it. */
import { request } from 'node:http';

export type Call = <Answer>(
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  body?: object,
) => Promise<Answer>;

/** @returns what calls the API. A call that is refused throws with the gateway's own words. */
export function createApi(socketPath: string, key: string): Call {
  return async <Answer>(method: string, path: string, body?: object): Promise<Answer> => {
    const { status, text } = await exchange(socketPath, method, path, key, body);
    if (status >= 400) throw new Error(`${method} ${path}: ${status} ${text}`);
    return JSON.parse(text === '' ? 'null' : text) as Answer;
  };
}

function exchange(
  socketPath: string,
  method: string,
  path: string,
  key: string,
  body: object | undefined,
): Promise<{ status: number; text: string }> {
  const headers = { authorization: `Bearer ${key}`, ...(body && { 'content-type': 'application/json' }) };
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, method, path, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    asked.on('error', reject);
    asked.end(body && JSON.stringify(body));
  });
}
