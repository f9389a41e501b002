import { Module } from '@nestjs/common';
import { AuditTrail } from './audit-trail.service.js';
import { AuditController } from './audit.controller.js';

/** Who did what. */
@Module({ controllers: [AuditController], providers: [AuditTrail], exports: [AuditTrail] })
export class AuditModule {}
