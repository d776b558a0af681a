import type { ImageInfo } from 'dockerode';

/** Digits of an id that people read. */
const SHORT_ID = 12;

/** The images of an engine: which one a name means, and what one is called. */
export class EngineImages {
  readonly #images: readonly ImageInfo[];

  constructor(images: readonly ImageInfo[]) {
    this.#images = images;
  }

  /** Id of the image that a deploy would take for this name; undefined when it would have to be pulled or built. */
  idOf(name: string): string | undefined {
    const [tagged = '', digest] = name.split('@');
    const wanted = shortened(digest === undefined ? tagged : `${repositoryOf(tagged)}@${digest}`);
    return this.#images.find(({ RepoTags, RepoDigests }) =>
      // An image without a name has null in place of a list.
      ((digest === undefined ? RepoTags : RepoDigests) ?? []).some((known) => shortened(known) === wanted),
    )?.Id;
  }

  /**
   * What an image is called.
   *
   * @param expected the name to prefer among several
   */
  nameOf(id: string, expected: string | undefined): string {
    const [tag] = expected?.split('@') ?? [];
    if (expected !== undefined && tag !== undefined && this.idOf(expected) === id) return tag;
    const known = this.#images.find(({ Id }) => Id === id)?.RepoTags ?? [];
    return known.find((name) => name !== '<none>:<none>') ?? id.replace(/^sha256:/, '').slice(0, SHORT_ID);
  }
}

const repositoryOf = (tagged: string): string => tagged.replace(/:[^:/]+$/, '');

/** As the engine lists it: the registry that it asks by itself, and that one's own folder, are left out. */
const shortened = (name: string): string => name.replace(/^docker\.io\//, '').replace(/^library\//, '');
