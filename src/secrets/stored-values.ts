import { FilesStore } from './files-store.js';

/** Every value of an environment that this machine knows, old versions too: what must not be printed. */
export function storedValues(project: string, environment: string): readonly string[] {
  const store = new FilesStore(project, environment);
  return store.list().flatMap(({ name, version }) => store.read(name, version)?.trim() || []);
}
