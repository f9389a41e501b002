import type { INestApplicationContext } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';

/**
 * Twice what a message may have: one that is too large is answered with TOO_LARGE, not with a dead socket. No more,
 * because Socket.IO parses a message before anybody can ask for its key.
 */
const MAX_FRAME_BYTES = 2_100_000;
/** A transport that joins no namespace, and so shows no key, gets no longer than a socket without one. */
const JOIN_TIMEOUT_MS = 10_000;

type Options = Parameters<IoAdapter['createIOServer']>[1];

/** Socket.IO as the station runs it. */
export class StationIoAdapter extends IoAdapter {
  constructor(
    app: INestApplicationContext,
    private readonly origins: string[] | '*' | undefined,
  ) {
    super(app);
  }

  override createIOServer(port: number, options?: Options): ReturnType<IoAdapter['createIOServer']> {
    return super.createIOServer(port, {
      ...options,
      maxHttpBufferSize: MAX_FRAME_BYTES,
      connectTimeout: JOIN_TIMEOUT_MS,
      serveClient: false,
      ...(this.origins && { cors: { origin: this.origins } }),
    } as Options);
  }
}
