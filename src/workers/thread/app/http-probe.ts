import { request } from 'node:http';
import type { ListeningPort } from './listening-ports.js';

const TIMEOUT_MS = 2_000;
const MAX_BODY = 4_096;

interface Answer {
  status: number;
  body: string;
}

/** Undefined when nobody answers HTTP there in time. */
export function probe({ address, port }: ListeningPort, path: string): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const sent = request({ host: address, port, path, timeout: TIMEOUT_MS, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body = (body + text).slice(0, MAX_BODY);
      });
      response.once('close', () => resolve({ status: response.statusCode ?? 0, body }));
      setTimeout(() => response.destroy(), TIMEOUT_MS).unref(); // an event stream never ends
    });
    sent.once('timeout', () => sent.destroy());
    sent.once('error', () => resolve(undefined));
    sent.end();
  });
}

/** The inspector of Node.js answers HTTP too; it tells itself by its protocol version. */
export async function isDebugger(port: ListeningPort): Promise<boolean> {
  return (await probe(port, '/json/version'))?.body.includes('"Protocol-Version"') ?? false;
}
