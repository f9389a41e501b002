import { ConsoleLogger } from '@nestjs/common';

/** What Nest tells of its own start says nothing to whoever runs the station: forty lines of modules and routes. */
const OF_THE_FRAMEWORK = new Set([
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestApplication',
]);

export class StationLogger extends ConsoleLogger {
  override log(message: unknown, ...rest: unknown[]): void {
    if (!OF_THE_FRAMEWORK.has(String(rest.at(-1)))) super.log(message, ...rest);
  }
}
