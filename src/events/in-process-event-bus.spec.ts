import { Logger } from '@nestjs/common';
import { InProcessEventBus } from './in-process-event-bus.js';

describe('The event bus', () => {
  beforeAll(() => Logger.overrideLogger(false));
  afterAll(() => Logger.overrideLogger(['log', 'error', 'warn']));

  it('tells all listeners, also behind one that throws, until they have unsubscribed', () => {
    const bus = new InProcessEventBus();
    const heard: string[] = [];
    bus.subscribe('key-ended', () => {
      throw new Error('this listener is broken');
    });
    const end = bus.subscribe('key-ended', ({ keyId }) => heard.push(keyId));
    bus.publish('key-ended', { keyId: 'first' });
    end();
    bus.publish('key-ended', { keyId: 'second' });
    expect(heard).toEqual(['first']);
  });
});
