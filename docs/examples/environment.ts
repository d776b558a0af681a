import { relative } from 'node:path';
import { App } from 'cdktf';
import { loadEnvironment, RagStack, readBundle } from 'ragdock';

const cwd = process.cwd();
const app = new App();

// Relative to cdktf.out/stacks/dev, where Terraform runs: an absolute path would differ from machine to machine.
const { context, hash } = readBundle();
const bundle = { context: `../../../${relative(cwd, context)}`, hash };

new RagStack(app, loadEnvironment('dev', { cwd }), { bundle });
app.synth();
