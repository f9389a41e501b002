import semver from 'semver';
import type { PackageManagerChoice, PackageManagerName, VersionChoice } from '../../../contracts/shapes.js';
import type { ManagerWish } from '../project/manager-wish.js';
import type { NodeWish } from '../project/node-wish.js';
import { STATION_NODE } from './station-node.js';
import type { ToolPair } from './tool-finder.js';

/** What was chosen, in words. `problem` is empty, or why something could not be had. */
export function managerChoice(
  { name, wanted, why, version }: ManagerWish,
  used: PackageManagerName,
  { manager }: ToolPair,
  problem: string,
): PackageManagerChoice & { name: PackageManagerName } {
  const reasons = [why];
  if (used !== name) reasons.push(`${name} is not available${problem}, ${used} stands in`);
  else if (version && !semver.satisfies(manager.version, version)) {
    reasons.push(`${name}@${version} is not available${problem}, the next best is used`);
  }
  return { name: used, wanted, used, version: manager.version, why: reasons.join('; ') };
}

export function nodeChoice(
  asked: NodeWish | undefined,
  { node, manager }: ToolPair,
  managerName: PackageManagerName,
): VersionChoice {
  const own = node.published === undefined;
  const request = asked ? `${asked.source} asks for ${asked.wanted}` : 'nothing asks for a version';
  const satisfied = !asked || (asked.range !== undefined && semver.satisfies(node.version, asked.range));
  const stationWould = !asked?.range || semver.satisfies(STATION_NODE.version, asked.range);
  const needs = !own && stationWould ? `; ${managerName} ${manager.version} needs ${manager.engines ?? 'it'}` : '';
  const outcome = own
    ? `this is the station's own${satisfied ? '' : ', as that is not available'}`
    : `this is the newest that fits, from the registry${satisfied ? '' : ', as that is not available'}`;
  return { wanted: asked?.wanted ?? null, used: node.version, why: `${request}${needs}; ${outcome}` };
}
