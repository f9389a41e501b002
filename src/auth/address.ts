import type { IncomingMessage } from 'node:http';
import type { NextFunction, Request, Response } from 'express';
import type { StationRequest } from '../common/request-context.js';

const MAX_CHARS = 64;

/** Notes where each request has come from. */
export function clientAddress(proxies: number) {
  return (request: Request, _: Response, next: NextFunction): void => {
    (request as StationRequest).address = addressOf(request, proxies);
    next();
  };
}

/** The network address that a request has come from, past as many proxies as TRUST_PROXY says; each adds whom it has seen. */
export function addressOf(
  { headers, socket }: Pick<IncomingMessage, 'headers' | 'socket'>,
  proxies: number,
): string | null {
  const told = String(headers['x-forwarded-for'] ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter(Boolean);
  const chain = [socket.remoteAddress ?? null, ...told.toReversed()];
  const address = chain[Math.min(proxies, chain.length - 1)];
  return address?.replace(/^::ffff:(?=\d+\.)/, '').slice(0, MAX_CHARS) ?? null;
}
