import { App } from 'cdktf';
import { loadEnvironment, RagStack, Service } from 'ragdock';

const app = new App();
const stack = new RagStack(app, loadEnvironment('dev'), { networkPool: '10.240.0.0/20' });

const report = new Service(stack, 'report', {
  image: { reference: 'registry.example/report:1.4.0' },
  user: { uid: 1000, gid: 1000 },
  memoryMiB: 128,
  healthCheck: { command: ['/app/report', 'health'] },
});
report.connectTo(stack.services.api.http, { url: 'RAG_API_URL', credential: 'RAG_API_KEY_FILE' });
stack.services.prometheus?.scrape('report', report.expose('metrics', { scheme: 'http', port: 9100 }));
app.synth();
