import { request as plain } from 'node:http';
import { request as encrypted, type RequestOptions } from 'node:https';

export interface HttpAnswer {
  status: number;
  /** The first bytes of the body, as far as they came at once. */
  beginning: string;
}

/** Undefined when nothing answers HTTP there within the time. */
export function httpGet(url: string, timeoutMs: number): Promise<HttpAnswer | undefined> {
  const options: RequestOptions = {
    agent: false,
    signal: AbortSignal.timeout(timeoutMs),
    rejectUnauthorized: false, // dev servers sign their certificates themselves, and nothing secret is sent
  };
  return new Promise((resolve) => {
    let answer: HttpAnswer | undefined;
    const sent = url.startsWith('https:') ? encrypted(url, options) : plain(url, options);
    const settle = () => {
      resolve(answer);
      sent.destroy(); // an event stream never ends
    };
    sent.on('error', settle);
    sent.once('close', settle); // it may have changed to another protocol, and then there is neither answer nor error
    sent.once('response', (response) => {
      answer = { status: response.statusCode ?? 0, beginning: '' };
      response.on('error', settle);
      response.once('end', settle);
      response.once('data', (chunk: Buffer) => {
        answer = { status: response.statusCode ?? 0, beginning: chunk.toString('latin1') };
        settle();
      });
    });
    sent.end();
  });
}

/** Whether a path that was named as a check is fine: 2xx or 3xx. */
export async function passesCheck(url: string, timeoutMs: number): Promise<boolean> {
  const status = (await httpGet(url, timeoutMs))?.status ?? 0;
  return status >= 200 && status < 400;
}
