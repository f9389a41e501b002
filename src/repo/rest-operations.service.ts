import { Injectable } from '@nestjs/common';
import { originOf } from '../auth/audit/auditing.js';
import { aboutOperation, success, type Success } from '../common/envelope.js';
import { OperationFailure } from '../common/operation-failure.js';
import type { Operation } from '../contracts/shapes.js';
import { Idempotency, idempotencyScope } from '../idempotency/idempotency.service.js';
import { LiveOperations } from '../operations/live-operations.service.js';
import type { OperationTicket, SubmitContext } from '../operations/operation-request.js';
import type { Exchange } from './exchange.js';
import { parsePrefer } from './prefer.js';

/** How REST asks for an operation: once per Idempotency-Key, waiting for its outcome as long as the client prefers. */
@Injectable()
export class RestOperationsService {
  constructor(
    private readonly idempotency: Idempotency,
    private readonly live: LiveOperations,
  ) {}

  async perform(
    exchange: Exchange,
    submit: (context: SubmitContext) => Promise<OperationTicket>,
  ): Promise<Success<unknown>> {
    const { request, response, caller } = exchange;
    const { waitSeconds, applied } = parsePrefer(request.get('prefer'));
    const { operation, finished } = await this.once(exchange, () =>
      submit({ principal: caller, origin: originOf(request) }),
    );
    if (applied !== undefined) response.setHeader('Preference-Applied', applied);
    const outcome = await within(waitSeconds * 1000, finished);
    if (!outcome) {
      response.status(202).setHeader('Location', `/operations/${operation.operationId}`);
      return aboutOperation((await this.live.find(operation.operationId)) ?? operation); // as it is by now
    }
    if (outcome.status !== 'succeeded') throw new OperationFailure(outcome);
    return success(outcome.result, outcome);
  }

  /** A cancel has no record of its own: its key stands for the operation that it cancels. */
  async cancel(exchange: Exchange, cancel: () => Promise<Operation>): Promise<Success<Operation>> {
    const { finished } = await this.once(exchange, async () => {
      const operation = await cancel();
      return { operation, finished: Promise.resolve(operation) };
    });
    return aboutOperation(await finished);
  }

  private once({ request, caller }: Exchange, submit: () => Promise<OperationTicket>): Promise<OperationTicket> {
    return this.idempotency.once(idempotencyScope(request, caller), submit, {
      keep: ({ operation: { operationId } }) => ({ operationId, answer: null }),
      // One that was interrupted by the end of the server starts anew.
      recall: async ({ operationId }) => {
        const ticket = operationId === null ? undefined : await this.live.ticket(operationId);
        return ticket?.operation.error?.code === 'INTERRUPTED' ? undefined : ticket;
      },
    });
  }
}

/** What `promise` resolves to, or undefined when that takes longer. */
async function within<T>(milliseconds: number, promise: Promise<T>): Promise<T | undefined> {
  if (milliseconds === 0) return undefined;
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, milliseconds, undefined);
  });
  return Promise.race([promise, timeout]).finally(() => clearTimeout(timer));
}
