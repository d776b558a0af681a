import { App } from 'cdktf';
import { loadEnvironment, overrideContainer, RagStack } from 'ragdock';

const app = new App();
const stack = new RagStack(app, loadEnvironment('dev'));
for (const llm of stack.services.llms.values()) overrideContainer(llm, (config) => ({ ...config, cpuSet: '0-1' }));
app.synth();
