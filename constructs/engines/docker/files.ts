import { createHash } from 'node:crypto';
import { type ConfigFile, folderOf, type Workload } from '../../model/index.js';
import { SECRETS_FOLDER, type Topology } from './topology.js';

/** One file that a files container carries into a volume. */
export interface CarriedFile {
  /** File name inside the volume. */
  readonly name: string;
  /** Its text, or the secret that it holds: the state never sees the value. */
  readonly content: { readonly text: string } | { readonly secret: string; readonly version: number };
}

/** A read-only volume of a workload and what is in it. */
export interface FilesVolume {
  /** Stable suffix of the resource's id: `etc-postgresql`, `secrets`. */
  readonly id: string;
  /** Name of the volume on the engine. */
  readonly name: string;
  /** Where the workload sees it. */
  readonly mountPath: string;
  /** Sorted by name; of secrets the files that are in force. */
  readonly files: readonly CarriedFile[];
}

/**
 * The volumes that bring a workload its files. The name decides what a change does:
 * - `replace`: it carries the hash of the contents, so that exactly the readers are replaced;
 * - `reload`: it carries the hash of the file names, so that a removed file does not linger and a changed one is seen
 *   by the running service;
 * - secrets: it never changes; a new version is one more file.
 */
export function filesVolumes(workload: Workload, topology: Topology): readonly FilesVolume[] {
  const container = topology.containerName(workload);
  const folders = groupByFolder(workload.configFiles);
  const volumes = [...folders]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([folder, configFiles]) => {
      const files = configFiles
        .map((file) => ({
          name: file.path.slice(folder.length + 1),
          content: { text: contentOf(file, workload, topology) },
        }))
        .sort((a, b) => (a.name < b.name ? -1 : 1));
      const replaces = configFiles[0]?.onChange === 'replace';
      const id = folderId(folder);
      return {
        id,
        name: `${container}-${id}-${shortHash(replaces ? files : files.map((file) => file.name))}`,
        mountPath: folder,
        files,
      };
    });
  if (workload.secrets.length === 0) return volumes;
  const secrets = workload.secrets.map((secret) => {
    const version = topology.secretVersion(secret);
    return { name: `${secret.name}.v${version}`, content: { secret: secret.name, version } };
  });
  const id = folderId(SECRETS_FOLDER);
  return [...volumes, { id, name: `${container}-${id}`, mountPath: SECRETS_FOLDER, files: secrets }];
}

/** A folder's part of ids and names, in the characters that Terraform allows: `/etc/conf.d` → `etc-conf-d`. */
export function folderId(folder: string): string {
  return folder === SECRETS_FOLDER ? 'secrets' : folder.slice(1).replace(/[^A-Za-z0-9]+/g, '-');
}

function contentOf(file: ConfigFile, workload: Workload, topology: Topology): string {
  return typeof file.content === 'function' ? file.content(topology.fileContext(workload)) : file.content;
}

function groupByFolder(files: readonly ConfigFile[]): Map<string, ConfigFile[]> {
  const folders = new Map<string, ConfigFile[]>();
  for (const file of files) folders.set(folderOf(file.path), [...(folders.get(folderOf(file.path)) ?? []), file]);
  return folders;
}

/** Ten hexadecimal digits of the SHA-256 of a value's JSON. */
export function shortHash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 10);
}
