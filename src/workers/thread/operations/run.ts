import { AppSession } from '../app/app-session.js';
import { planLaunch } from '../app/launch-plan.js';
import { MAX_LINE_CHARS } from '../../../contracts/log.js';
import { shortened } from '../../../machine/bounded.js';
import type { Handler } from '../operation-thread.js';

/** Starts an app. The thread becomes its session thread, and lives as long as the app does. */
export const run: Handler<'run'> = async (input, thread) => {
  const plan = await planLaunch(input, thread);
  thread.signal.throwIfAborted();
  thread.progress('starting', null, shortened(`${plan.script.name}: ${plan.script.command}`));
  thread.log.write('system', [`$ ${shortened(plan.script.command, MAX_LINE_CHARS)}`]);
  const session = new AppSession(plan, input, thread);
  thread.keepAlive(session.ended);
  return session.outcome;
};
