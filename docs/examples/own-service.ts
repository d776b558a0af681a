import { relative } from 'node:path';
import { App } from 'cdktf';
import { loadEnvironment, overrideContainer, RagStack, readBundle, Service } from 'ragdock';

const cwd = process.cwd();
const app = new App();
const { context, hash } = readBundle();
const bundle = { context: `../../../${relative(cwd, context)}`, hash };

// `ragdock lock` promises what the YAML asks for. A connection made here needs a subnet from here, outside host.networkPool.
const environment = loadEnvironment('dev', { cwd });
if (!environment.lock) throw new Error('run: npx ragdock lock dev');
const networks = { 'report--rag-api': '10.240.0.0/29', 'prometheus--report': '10.240.0.8/29' };
const lock = { ...environment.lock, networks: { ...environment.lock.networks, ...networks } };
const stack = new RagStack(app, { ...environment, lock }, { bundle });

const report = new Service(stack, 'report', {
  image: { reference: 'registry.example/report:1.4.0' },
  user: { uid: 1000, gid: 1000 },
  memoryMiB: 128,
  healthCheck: { command: ['/app/report', 'health'] },
});

// An address, a credential and a network, by one call: report may ask the RAG API.
report.connectTo(stack.services.api.http, { url: 'RAG_API_URL', credential: 'RAG_API_KEY_FILE' });

// The other direction: an endpoint of its own, which Prometheus is told to scrape.
stack.services.prometheus?.scrape('report', report.expose('metrics', { scheme: 'http', port: 9100 }));

// What the model does not know, the engine does: keep the model server on two cores.
for (const llm of stack.services.llms.values()) overrideContainer(llm, (config) => ({ ...config, cpuSet: '0-1' }));

app.synth();
