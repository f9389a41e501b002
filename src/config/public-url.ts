import { isIP } from 'node:net';

/** Where clients reach the station. `port` is where it really listens. */
export function publicUrlOf({ publicUrl, host, port }: { publicUrl?: string; host: string; port: number }): string {
  if (publicUrl !== undefined) return publicUrl;
  const isEverywhere = host === '0.0.0.0' || host === '::';
  return `http://${isEverywhere ? 'localhost' : isIP(host) === 6 ? `[${host}]` : host}:${port}`;
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
