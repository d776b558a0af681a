import { App } from 'cdktf';
import { loadEnvironment, overrideContainer, RagStack, Service } from 'ragdock';

const app = new App();
const stack = new RagStack(app, loadEnvironment('dev'));
for (const llm of stack.services.llms.values()) {
  // One that somebody else runs has no container.
  if (Service.isService(llm)) overrideContainer(llm, (config) => ({ ...config, cpuSet: '0-1' }));
}
app.synth();
