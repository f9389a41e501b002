import { SESSION_COOKIE } from './fake-patreon.js';
import type { Station } from './station.js';

export interface Page {
  status: number;
  type: string | null;
  text: string;
  retryAfter: string | null;
}

/** A browser that signs in with Patreon: keeps cookies, and follows where it is led. */
export class PatreonBrowser {
  private cookie = '';

  constructor(
    private readonly station: Station,
    private readonly accept = 'text/html,application/xhtml+xml,*/*;q=0.8',
  ) {}

  /** To where the station sends whoever wants to sign in. */
  async begin(): Promise<string> {
    const response = await fetch(`${this.station.url}/auth/patreon`, {
      redirect: 'manual',
      headers: { accept: this.accept },
    });
    if (response.status !== 302) throw new Error(`${response.status} ${await response.text()}`);
    this.cookie = response.headers
      .getSetCookie()
      .map((one) => one.split(';')[0])
      .join('; ');
    return response.headers.get('location') ?? '';
  }

  /** As the user, who allows it. */
  async signIn(user: string): Promise<Page> {
    const page = await fetch(await this.begin(), {
      redirect: 'manual',
      headers: { accept: this.accept, cookie: `${SESSION_COOKIE}=${user}` },
    });
    if (page.status !== 302) throw new Error(`${page.status} ${await page.text()}`);
    return this.open(page.headers.get('location') ?? '');
  }

  async open(url: string): Promise<Page> {
    const response = await fetch(url, { redirect: 'manual', headers: { accept: this.accept, cookie: this.cookie } });
    const { status, headers } = response;
    return {
      status,
      type: headers.get('content-type'),
      text: await response.text(),
      retryAfter: headers.get('retry-after'),
    };
  }
}

/** As a client that asks for JSON; rejects where there is no key. */
export async function keyOf(station: Station, user: string): Promise<string> {
  const { status, text } = await new PatreonBrowser(station, 'application/json').signIn(user);
  const { result } = JSON.parse(text) as { result?: { key: string } };
  if (!result) throw new Error(`${status} ${text}`);
  return result.key;
}
