import { Failure } from './failure.js';

/** The rules of `git check-ref-format --branch`, and what each forbids. */
const RULES: [forbidden: RegExp, reason: string][] = [
  [/^$/, 'it is empty'],
  [/^-/, 'it begins with "-"'],
  [/[\p{Cc} ]/u, 'it contains a space or a control character'],
  [/[~^:?*[\\]/, 'it contains one of ~ ^ : ? * [ \\'],
  [/\.\.|@\{/, 'it contains ".." or "@{"'],
  [/^\/|\/$|\/\//, 'it begins or ends with "/", or has an empty part'],
  [/(^|\/)\./, 'a part of it begins with "."'],
  [/\.lock(\/|$)/, 'a part of it ends with ".lock"'],
  [/\.$/, 'it ends with "."'],
  [/^(@|HEAD)$/, 'it is reserved by git'],
  [/^.{244,}$/su, 'it is too long'],
];

/** The name of a branch or tag as it is. INVALID_BRANCH where git has no such names. */
export function validateBranch(name: string): string {
  const broken = RULES.find(([forbidden]) => forbidden.test(name));
  if (!broken) return name;
  throw new Failure('INVALID_BRANCH', `${JSON.stringify(name.slice(0, 100))} is no branch name: ${broken[1]}`);
}
