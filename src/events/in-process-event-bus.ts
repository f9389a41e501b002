import { EventEmitter } from 'node:events';
import { Injectable, Logger } from '@nestjs/common';
import { EventBus, type StationEvents } from './event-bus.js';

/** For one station: listeners in this process. */
@Injectable()
export class InProcessEventBus extends EventBus {
  private readonly logger = new Logger('Events');
  private readonly emitter = new EventEmitter().setMaxListeners(0); // one per socket and log reader

  publish<K extends keyof StationEvents>(name: K, payload: StationEvents[K]): void {
    this.emitter.emit(name, payload);
  }

  subscribe<K extends keyof StationEvents>(name: K, listener: (payload: StationEvents[K]) => void): () => void {
    // What happens has happened: that one listener cannot take it keeps neither the publisher nor the others from going on.
    const guarded = (payload: StationEvents[K]) => {
      try {
        listener(payload);
      } catch (error) {
        this.logger.error(`A listener to "${name}" has failed: ${(error as Error).stack ?? String(error)}`);
      }
    };
    this.emitter.on(name, guarded);
    return () => void this.emitter.off(name, guarded);
  }
}
