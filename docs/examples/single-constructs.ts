import { App } from 'cdktf';
import { DockerStack, Prometheus, Qdrant } from 'ragdock';

const app = new App();
const stack = new DockerStack(app, 'vectors', { networkPool: '10.241.0.0/20' });
const qdrant = new Qdrant(stack, 'qdrant', { memoryMiB: 4096 });
qdrant.publish(qdrant.http, { port: 6333, address: '127.0.0.1' });
const prometheus = new Prometheus(stack, 'prometheus', { retention: '30d' });
prometheus.scrape('qdrant', qdrant.metrics);
app.synth();
