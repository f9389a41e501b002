import { Inject, Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { STATION_CONFIG, type StationConfig } from '../../config/config.js';
import { EventBus } from '../../events/event-bus.js';
import { DEFAULT_PLANS } from './default-plans.js';
import { GrantedPlan, type Lapse, type Plan } from './plan.js';
import { readPlans } from './plans-file.js';

/** Which plans there are. The file is read again on SIGHUP; one that is not valid changes nothing. */
@Injectable()
export class PlansService implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger('Plans');
  private plans: readonly Plan[];
  private readonly reload = (): void => this.readAgain();

  constructor(
    @Inject(STATION_CONFIG) private readonly config: Pick<StationConfig, 'plansFile'>,
    private readonly events: EventBus,
  ) {
    this.plans = config.plansFile ? readPlans(config.plansFile) : DEFAULT_PLANS;
  }

  /** Without a file SIGHUP is what it is for every program: its terminal has been closed. */
  onModuleInit(): void {
    if (this.config.plansFile !== undefined) process.on('SIGHUP', this.reload);
  }

  onApplicationShutdown(): void {
    process.off('SIGHUP', this.reload);
  }

  /** From the cheapest on. */
  all(): readonly Plan[] {
    return this.plans;
  }

  has(id: string): boolean {
    return this.plans.some((plan) => plan.id === id);
  }

  /** As somebody has it who was granted it; where it is not in the file any more, the cheapest stands in its place. */
  granted(id: string, lapse?: Lapse): GrantedPlan {
    const [plan, ...above] = this.plans.slice(this.rankOf(id));
    if (!plan) throw new Error('there is no plan at all');
    return new GrantedPlan(plan, above, lapse);
  }

  /** 0 is the cheapest, and what is not in the file any more. */
  rankOf(id: string): number {
    return Math.max(
      0,
      this.plans.findIndex((plan) => plan.id === id),
    );
  }

  private readAgain(): void {
    const { plansFile } = this.config;
    if (plansFile === undefined) return;
    try {
      this.plans = readPlans(plansFile);
      this.logger.log(`SIGHUP: ${this.plans.length} plans were read from PLANS_FILE`);
      this.events.publish('plans-changed', {});
    } catch (error) {
      this.logger.error(`SIGHUP: the plans stay as they are: ${(error as Error).message}`);
    }
  }
}
