import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { BUNDLE_FOLDER, packageRoot } from './bundle.js';
import { makeBundle } from './make-bundle.js';

// `node --import tsx src/apps/build.ts`, a part of `npm run build`.
const root = packageRoot();
// The compiler writes the command anew, and npm made it executable only when it was installed.
chmodSync(join(root, 'dist/src/cli/main.js'), 0o755);
await makeBundle(root, join(root, BUNDLE_FOLDER));
