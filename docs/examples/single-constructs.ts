import { relative } from 'node:path';
import { App, LocalBackend, TerraformStack } from 'cdktf';
import { giveVolumesToTheirOwners, type Lock, lowerToDocker, Prometheus, Qdrant, readBundle } from 'ragdock';

const app = new App();
const stack = new TerraformStack(app, 'vectors');
new LocalBackend(stack, { path: '../../../state/vectors.tfstate' });

const qdrant = new Qdrant(stack, 'qdrant', { memoryMiB: 4096 });
qdrant.publish(qdrant.http, { port: 6333, address: '127.0.0.1' });

const prometheus = new Prometheus(stack, 'prometheus', { retention: '30d' });
prometheus.scrape('qdrant', qdrant.metrics);

// Without an environment file there is no lock file: the same promises, in code.
const lock: Lock = {
  lock: 1,
  networks: { 'prometheus--qdrant': '10.241.0.0/29', 'qdrant--published': '10.241.0.8/29' },
  volumes: {},
  secrets: { 'qdrant-api-key': { version: 1 } },
  postgres: { major: 15 },
  collections: {},
  images: {},
};

// After the last connection: a job for each volume that has an owner, then everything becomes resources.
giveVolumesToTheirOwners(stack);
const { context, hash } = readBundle();
lowerToDocker(stack, {
  environment: 'vectors',
  lock,
  host: 'unix:///var/run/docker.sock',
  bundle: { context: `../../../${relative(process.cwd(), context)}`, hash },
  secretsFolder: '../../../.ragdock/secrets/vectors',
});
app.synth();
