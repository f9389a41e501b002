import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { StationRequest } from '../common/request-context.js';
import { Failure } from '../contracts/failure.js';
import { ACCESS, type Access } from './access.decorator.js';
import { ApiKeysService } from './api-keys.service.js';
import { bearerOf } from './bearer.js';
import type { Permission } from '../contracts/permissions.js';
import type { Principal } from './principal.js';
import { RateLimit, EXEMPT_OPERATIONS } from './rate-limit.service.js';

/** Denies by default: a route that states neither a permission nor that it is public is nobody's. */
@Injectable()
export class ApiKeyGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly keys: ApiKeysService,
    private readonly rateLimit: RateLimit,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const access = this.reflector.getAllAndOverride<Access | undefined>(ACCESS, [
      context.getHandler(),
      context.getClass(),
    ]);
    if (access === 'public') return true;
    const request = context.switchToHttp().getRequest<StationRequest>();
    request.operation = access?.operation;
    request.principal = await this.identify(request);
    await this.rateLimit.ofCaller(request.principal, isExempt(access));
    if (!access) throw new Failure('FORBIDDEN', 'This route states no permission, so it is closed to everyone.');
    if (access.permission !== 'any') requirePermission(request.principal, access.permission);
    return true;
  }

  private async identify({ rawHeaders, address }: StationRequest): Promise<Principal> {
    try {
      return await this.keys.authenticate(bearerOf(rawHeaders));
    } catch (error) {
      await this.rateLimit.ofStranger(address);
      throw error;
    }
  }
}

const isExempt = (access: Exclude<Access, 'public'> | undefined): boolean =>
  access?.isExempt === true || EXEMPT_OPERATIONS.has(access?.permission);

export function requirePermission(principal: Principal, permission: Permission): void {
  const { permissions, plan } = principal;
  if (permissions.includes(permission) || (permission === 'keys' && permissions.includes('admin'))) return;
  if (plan && !plan.permissions.includes(permission)) throw plan.refusalOf(permission);
  throw new Failure('FORBIDDEN', `This key does not have the permission "${permission}".`, {
    context: { permission, permissions },
  });
}
