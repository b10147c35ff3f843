/** A browser as far as the gateway can tell: it keeps the session's cookie and says which page asks. */
import { SESSION_COOKIE, type Session } from '../../src/contract/sessions.ts';
import { type Answer, Caller, type Reachable } from './host.ts';

export class Browser extends Caller {
  readonly #cookies = new Map<string, string>();
  /** The origin of the page that asks; null where the browser says none. */
  origin: string | null;

  constructor({ url }: Pick<Reachable, 'url'>) {
    super(url, null);
    this.origin = url;
  }

  get cookie(): string | undefined {
    return this.#cookies.get(SESSION_COOKIE);
  }

  set cookie(token: string) {
    this.#cookies.set(SESSION_COOKIE, token);
  }

  get headers(): Record<string, string> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    return { ...(cookie === '' ? {} : { cookie }), ...(this.origin === null ? {} : { origin: this.origin }) };
  }

  override async send<T>(method: string, path: string, init: RequestInit): Promise<Answer<T>> {
    const headers = { ...this.headers, ...(init.headers as Record<string, string>) };
    const answer = await super.send<T>(method, path, { redirect: 'manual', ...init, headers });
    for (const line of answer.headers.getSetCookie()) this.#take(line);
    return answer;
  }

  signIn(key: string): Promise<Session> {
    return this.made<Session>('POST', '/v1/session', { key });
  }

  #take(line: string): void {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!;
    if (value === '') this.#cookies.delete(name!);
    else this.#cookies.set(name!, value!);
  }
}
