import { App } from 'cdktf';
import { loadEnvironment, RagStack } from 'ragdock';

const app = new App();
new RagStack(app, loadEnvironment('dev'));
app.synth();
