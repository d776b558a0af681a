import { IMAGES } from '../../constructs/images.js';

/** uid and gid of the apps inside their image. */
const USER = '1000:1000';

/**
 * Names of servers, which an engine leaves unanswered on an internal network while the server is replaced: with Node's 4
 * threads, half of which may ask for names, two such questions of 10 s each keep everything else from its address.
 */
const ENVIRONMENT = {
  /** Half of them may ask for names at once, one name each. */
  UV_THREADPOOL_SIZE: '16',
  /** The resolver of glibc (resolv.conf(5)): asks anew after 1 s, and gives up after 3 s instead of 10 s. */
  RES_OPTIONS: '"timeout:1 attempts:3"',
} as const;

/** The Dockerfile of the bundled apps. */
export function dockerfile(withStatic: boolean): string {
  return [
    `FROM ${IMAGES.node}`,
    'WORKDIR /app',
    ...Object.entries(ENVIRONMENT).map(([name, value]) => `ENV ${name}=${value}`),
    'COPY ragdock-apps.mjs ragdock-apps.mjs.LEGAL.txt health.mjs /app/',
    ...(withStatic ? ['COPY static/ /app/static/'] : []),
    `USER ${USER}`,
    'ENTRYPOINT ["node", "/app/ragdock-apps.mjs"]',
    '',
  ].join('\n');
}

/** Name of the carrier's Dockerfile inside the build context of the apps. */
export const CARRIER_FILE = 'carrier.Dockerfile';

/**
 * An image without content, for containers that are never started and only carry files into volumes. It names no
 * user: for an image that does, the engine would give the files to that one.
 */
export const CARRIER_DOCKERFILE = ['FROM scratch', `COPY ${CARRIER_FILE} /`, 'CMD ["never-started"]', ''].join('\n');
