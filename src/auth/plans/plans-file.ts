import { readFileSync } from 'node:fs';
import { ChoicesField, IntegerField, isPlainObject, TextField, TextsField } from '../../common/fields.js';
import { validate } from '../../common/validation.js';
import { Failure } from '../../contracts/failure.js';
import { PERMISSIONS, type Permission } from '../../contracts/permissions.js';
import { ALWAYS_PERMITTED, UNBOUNDED, type Plan, type Quotas } from './plan.js';

const LARGE = 1_000_000_000;

const QuotaField = (minimum: number): PropertyDecorator =>
  IntegerField({ minimum, maximum: LARGE, description: 'Left out: no limit.' });

class QuotasDto implements Partial<Quotas> {
  @QuotaField(0)
  repositories?: number;
  @QuotaField(0)
  runningApps?: number;
  @QuotaField(1)
  operationsAtOnce?: number;
  @QuotaField(1)
  queuedOperations?: number;
  @QuotaField(64)
  memoryPerAppMb?: number;
  @QuotaField(16)
  diskPerRepositoryMb?: number;
  @QuotaField(16)
  diskMb?: number;
  @QuotaField(1)
  requestsPerMinute?: number;
  @QuotaField(0)
  keys?: number;
}

class PlanDto {
  @TextField({
    required: true,
    maxLength: 32,
    pattern: { regex: /^[a-z0-9][a-z0-9-]{0,31}$/, says: 'lower-case letters, digits and - (32 at most)' },
    description: 'Names the plan.',
  })
  id!: string;

  @TextField({ required: true, maxLength: 60, description: 'For people.' })
  name!: string;

  @ChoicesField({ values: PERMISSIONS, required: true, description: 'What its owner may do.' })
  permissions!: Permission[];

  @TextsField({ maxItems: 100, maxLength: 20, description: 'Ids of the Patreon tiers that it comes with.' })
  tiers?: string[];
}

/** The plans of a PLANS_FILE, from the cheapest on. Throws an Error that names the place at fault and what it expects. */
export function readPlans(file: string): Plan[] {
  try {
    return plansIn(file);
  } catch (cause) {
    throw new Error(`PLANS_FILE: ${(cause as Error).message}`, { cause });
  }
}

function plansIn(file: string): Plan[] {
  const root = parse(file);
  if (!isPlainObject(root) || !Array.isArray(root.plans) || root.plans.length === 0 || Object.keys(root).length > 1) {
    throw new Error('expected {"plans": [...]}, with the plans from the cheapest on');
  }
  const plans = root.plans.map((plan: unknown, index) => toPlan(plan, `plans[${index}]`));
  refuseTwice(
    'id',
    plans.map(({ id }) => id),
  );
  refuseTwice(
    'tier',
    plans.flatMap(({ tiers }) => [...tiers]),
  );
  return plans;
}

function parse(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new Error(`expected JSON: ${(cause as Error).message}`, { cause });
  }
}

function toPlan(input: unknown, where: string): Plan {
  try {
    const { quotas = {}, ...rest } = isPlainObject(input) ? input : { plan: input };
    const { id, name, permissions, tiers = [] } = validate(PlanDto, rest, where);
    const missing = ALWAYS_PERMITTED.filter((one) => !permissions.includes(one));
    if (missing.length > 0) {
      throw new Failure(
        'BAD_REQUEST',
        `permissions: expected ${ALWAYS_PERMITTED.join(', ')} among them, as nobody is refused these`,
      );
    }
    return { id, name, permissions, tiers, quotas: toQuotas(validate(QuotasDto, quotas, 'quotas')) };
  } catch (error) {
    throw new Error(`${where}: ${(error as Error).message}`, { cause: error });
  }
}

function toQuotas(given: QuotasDto): Quotas {
  const stated = Object.entries(given).filter(([, value]) => value !== undefined);
  return { ...UNBOUNDED, ...Object.fromEntries(stated) };
}

function refuseTwice(what: string, ids: readonly string[]): void {
  const twice = ids.find((id, index) => ids.indexOf(id) !== index);
  if (twice !== undefined) throw new Error(`expected each ${what} once, and "${twice}" is there twice`);
}
