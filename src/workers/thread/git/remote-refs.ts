import type { Git } from './git.js';

/** Name → commit; an annotated tag stands for the commit that it points to. */
export interface RemoteRefs {
  branches: Map<string, string>;
  tags: Map<string, string>;
}

/** `folder` is any that exists: none of its content is used. */
export async function listRefs(git: Git, url: string, folder: string): Promise<RemoteRefs> {
  const output = await git.run(folder, ['ls-remote', '--heads', '--tags', '--', url]);
  const refs: RemoteRefs = { branches: new Map(), tags: new Map() };
  for (const line of output.split('\n')) {
    const [, commit, kind, name] = /^([0-9a-f]+)\trefs\/(heads|tags)\/(.+?)(?:\^\{\})?$/.exec(line) ?? [];
    // The peeled line of an annotated tag follows its own.
    if (commit && name) refs[kind === 'heads' ? 'branches' : 'tags'].set(name, commit);
  }
  return refs;
}
