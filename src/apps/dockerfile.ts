import { IMAGES } from '../../constructs/images.js';

/** uid and gid of the apps inside their image. */
const USER = '1000:1000';

/** The Dockerfile of the bundled apps. */
export function dockerfile(withStatic: boolean): string {
  return [
    `FROM ${IMAGES.node}`,
    'WORKDIR /app',
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
