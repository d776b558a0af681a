import { join } from 'node:path';
import { BUNDLE_FOLDER, packageRoot } from './bundle.js';
import { makeBundle } from './make-bundle.js';

// `node --import tsx src/apps/build.ts`, a part of `npm run build`.
const root = packageRoot();
await makeBundle(root, join(root, BUNDLE_FOLDER));
