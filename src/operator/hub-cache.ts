/** Paths of a model in a cache of Hugging Face, relative to what `HF_HOME` names. */
export interface HubPaths {
  /** Where the files of one commit are. */
  readonly snapshot: string;
  /** File with the commit of a branch or tag; a commit has none. */
  readonly ref: string | undefined;
  /** What tells the model job that the snapshot is whole; it holds the path of it. */
  readonly marker: string;
  /** Every folder above these, a folder before what is in it. */
  readonly folders: readonly string[];
}

/** Where `revision` of `repository` belongs, which is or has become `commit`. */
export function hubPaths(repository: string, revision: string, commit: string): HubPaths {
  const flat = (text: string): string => text.replaceAll('/', '--');
  const model = `hub/models--${flat(repository)}`;
  const ref = revision === commit ? undefined : `${model}/refs/${revision}`;
  const marker = `.ragdock/${flat(repository)}@${flat(revision)}`;
  const snapshot = `${model}/snapshots/${commit}`;
  const folders = [snapshot, marker, ...(ref === undefined ? [] : [ref])].flatMap(above);
  return { snapshot, ref, marker, folders: [...new Set(folders)] };
}

function above(path: string): readonly string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}
