import { once } from 'node:events';
import type { ContainerCreateOptions } from 'dockerode';
import type { DoctorFaultContext } from './doctor-fault.js';
import { containerOf, nameOf } from './replace.js';

/** Run a program in a container that lasts as long as it. */
async function runBeside(
  { docker }: DoctorFaultContext,
  options: ContainerCreateOptions & { readonly Image: string },
): Promise<void> {
  const container = await docker.createContainer(options);
  try {
    await container.start();
    const { StatusCode } = (await container.wait()) as { StatusCode: number };
    if (StatusCode !== 0) throw new Error(`${options.Entrypoint} ended with ${StatusCode}`);
  } finally {
    await container.remove({ force: true });
  }
}

export async function giveVolume(context: DoctorFaultContext, volume: string, owner: string): Promise<void> {
  const { Config } = await containerOf(context, 'qdrant').inspect();
  await runBeside(context, {
    Image: Config.Image,
    User: '0:0',
    Entrypoint: ['chown', owner, '/volume'],
    Cmd: [],
    HostConfig: { NetworkMode: 'none', Binds: [`${nameOf(context, volume)}:/volume`] },
  });
}

/** Run SQL as the superuser inside the database's container; it goes in by stdin, so that no log or list holds it. */
export async function sql(context: DoctorFaultContext, text: string): Promise<void> {
  const run = await containerOf(context, 'postgres').exec({
    Cmd: [
      'sh',
      '-c',
      'PGPASSWORD="$(cat "$(ls -v /run/secrets/postgres-superuser-password.v* | tail -1)")" exec psql -qv ON_ERROR_STOP=1 -h 127.0.0.1 -U postgres -f -',
    ],
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
  });
  const stream = await run.start({ hijack: true, stdin: true });
  let said = '';
  stream.on('data', (piece: Buffer) => {
    said += piece.toString('latin1');
  });
  stream.end(text);
  await once(stream, 'end');
  const { ExitCode } = await run.inspect();
  if (ExitCode !== 0) throw new Error(`psql ended with ${ExitCode}: ${said}`);
}
