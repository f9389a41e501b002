import { EventEmitter } from 'node:events';
import { Injectable } from '@nestjs/common';
import { EventBus, type StationEvents } from './event-bus.js';

/** For one station: listeners in this process. */
@Injectable()
export class InProcessEventBus extends EventBus {
  private readonly emitter = new EventEmitter().setMaxListeners(0); // one per socket and log reader

  publish<K extends keyof StationEvents>(name: K, payload: StationEvents[K]): void {
    this.emitter.emit(name, payload);
  }

  subscribe<K extends keyof StationEvents>(name: K, listener: (payload: StationEvents[K]) => void): () => void {
    this.emitter.on(name, listener);
    return () => void this.emitter.off(name, listener);
  }
}
