import 'reflect-metadata';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { HealthController } from '../health/health.controller.js';
import { OperationsController } from '../repo/operations.controller.js';
import { RepoController } from '../repo/repo.controller.js';
import { ACCESS, type Access } from './access.decorator.js';
import { AuditController } from './audit/audit.controller.js';
import { OwnersController } from '../owners/owners.controller.js';
import { CredentialsController } from './credentials.controller.js';
import { PatreonController } from './patreon/patreon.controller.js';
import { WebhookController } from './patreon/webhook.controller.js';
import { KeysController } from './keys.controller.js';
import { PlansController } from './plans/plans.controller.js';

const stated = (target: object) => Reflect.getMetadata(ACCESS, target) as Access | undefined;

type Controller = new (...dependencies: never[]) => object;

/** Every route of a controller: its path, and the access that it states. */
function routesOf(controller: Controller): [string, Access | undefined][] {
  const prototype = controller.prototype as Record<string, object>;
  return Object.getOwnPropertyNames(prototype)
    .map((name) => prototype[name])
    .filter((handler) => handler !== undefined && Reflect.hasMetadata(METHOD_METADATA, handler))
    .map((handler) => {
      const path = [controller, handler].map(
        (target) => Reflect.getMetadata(PATH_METADATA, target as object) as string,
      );
      return [path.join('/'), stated(handler as object) ?? stated(controller)];
    });
}

describe('Access to routes', () => {
  const controllers = [
    AuditController,
    KeysController,
    CredentialsController,
    PlansController,
    PatreonController,
    WebhookController,
    HealthController,
    OwnersController,
    OperationsController,
    RepoController,
  ];
  const routes = controllers.flatMap((controller) => routesOf(controller as Controller));

  it('is stated by every route', () => {
    expect(routes.length).toBeGreaterThan(20);
    expect(routes.filter(([, access]) => access === undefined)).toEqual([]);
  });

  it('is open to everyone for health, the sign-in and its webhook only', () => {
    const open = routes.filter(([, access]) => access === 'public').map(([path]) => path);
    expect(open.toSorted()).toEqual([
      'auth/patreon//',
      'auth/patreon/callback',
      'auth/patreon/webhook//',
      'health//',
      'health/live',
      'health/ready',
    ]);
  });
});
