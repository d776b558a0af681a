import type { FindingKind } from './kind.js';

/** Findings that a service, or a job that works for it, has told in its log; and of the data it works on. */
export const SERVICE_FINDINGS = {
  'model-too-long-for-cards': {
    severity: 'broken',
    rank: 1,
    title: 'The context does not fit onto the graphics cards',
    seen: 'the log of vLLM (“estimated maximum model length is …”)',
    meaning: 'The cards have no memory for one request of `maxModelLen`; they have it for <tokens> tokens.',
    remedy:
      'Set `maxModelLen` of <service> to <tokens> or less, or raise `gpuMemoryUtilization`; then `npx cdktf deploy <env>`.',
  },
  'gpu-memory-exhausted': {
    severity: 'broken',
    rank: 1,
    title: 'The memory of the graphics cards is used up',
    seen: 'the log of a service on graphics cards (“CUDA out of memory”)',
    meaning: 'The memory of the graphics cards does not hold the model, its cache, and what others have on them.',
    remedy:
      '`nvidia-smi` shows who else is there. Then let <service> take less: `maxModelLen` or `gpuMemoryUtilization` of vLLM, `contextLength` of llama.cpp, `maxBatchTokens` of embeddings; and `npx cdktf deploy <env>`.',
  },
  'gpu-cache-too-small': {
    severity: 'broken',
    rank: 1,
    title: 'The graphics cards have no room beside the model',
    seen: 'the log of vLLM (“No available memory for the cache blocks”)',
    meaning: 'What vLLM may take of the cards holds the model, and nothing of its cache.',
    remedy:
      'Raise `gpuMemoryUtilization` of <service>, or name a smaller model or one with fewer bits; then `npx cdktf deploy <env>`.',
  },
  'shared-memory-exhausted': {
    severity: 'broken',
    rank: 1,
    title: 'Shared memory is used up',
    seen: 'the log of vLLM (“Error while creating shared memory segment /dev/shm/…”)',
    meaning:
      'Its processes exchange what several cards compute through /dev/shm, which is too small for that. No disk is full.',
    remedy: 'Raise `sharedMemory` of <service>, and `memory` by as much; then `npx cdktf deploy <env>`.',
  },
  'model-context-too-long': {
    severity: 'broken',
    rank: 1,
    title: 'The model was not made for such a context',
    seen: 'the log of vLLM',
    meaning: '`maxModelLen` is <asked>, and the model was made for <most>.',
    remedy: 'Set `maxModelLen` of <service> to <most> or less, then `npx cdktf deploy <env>`.',
  },
  'model-files-missing': {
    severity: 'broken',
    rank: 1,
    title: 'The files of a model are missing',
    seen: 'the log of the model’s server',
    meaning: 'The files of the model are not where the server looks for them, and it may not fetch any.',
    remedy:
      '`docker rm <modeljob>` and `npx cdktf deploy <env>` download it again; `npx ragdock model import PATH --env <env><which>` brings it from this machine.',
  },
  'model-on-host-unreadable': {
    severity: 'broken',
    rank: 1,
    title: 'The files of a model on the host cannot be read',
    seen: 'the log of the model’s server, where `model.onHost` is set',
    meaning:
      'The files of the model are not in <folder> of the host, or the user <user> may not read them. Nothing is downloaded or changed there.',
    remedy:
      'Put the files there and let their group read them: `sudo chgrp -R <gid> <folder> && sudo chmod -R g+rX <folder>`, then `docker restart <container>`; or set `user` of <service> to one who may read them, then `npx cdktf deploy <env>`.',
  },
  'model-token-missing': {
    severity: 'broken',
    rank: 1,
    title: 'A model is not given without a token',
    seen: 'the log of the job that downloads it (“the server answered 401” or 403)',
    meaning: 'The repository of the model wants a token, or a licence that was accepted, and the job has neither.',
    remedy:
      'Accept the licence, set `model.token: true`, run `npx ragdock lock <env>` and `npx ragdock secrets set <env> <service>-token`; then `npx cdktf deploy <env>`.',
  },
  'model-file-refused': {
    severity: 'broken',
    rank: 1,
    title: 'The file of a model is not given to everybody',
    seen: 'the log of the job that downloads it (“the server answered 401” or 403)',
    meaning: 'The server that has the file wants a login, and a file by its address is fetched without one.',
    remedy:
      'Download it as somebody who may, then `npx ragdock model import FILE --env <env><which>`, `docker rm <container>` and `npx cdktf deploy <env>`.',
  },
  'model-download-without-network': {
    severity: 'broken',
    rank: 1,
    title: 'A model cannot be downloaded',
    seen: 'the log of the job that downloads it (ENOTFOUND, EAI_AGAIN, timeouts)',
    meaning: 'The job that downloads the model does not reach the server that has it.',
    remedy:
      'Give the host a way out, or bring the files: `npx ragdock model import PATH --env <env><which>`. Then `docker rm <container>` and `npx cdktf deploy <env>`.',
  },
  'postgres-other-major': {
    severity: 'broken',
    rank: 0,
    title: 'The data is of another major version of PostgreSQL',
    seen: 'the log of PostgreSQL',
    meaning: 'The volume holds the data of PostgreSQL <had>, and the image is <has>.',
    remedy:
      'Set `services.postgres.image` back to an image of <had> and `npx cdktf deploy <env>`; to move the data, follow docs/services/postgres.md.',
  },
  'postgres-other-password': {
    severity: 'broken',
    rank: 1,
    title: 'The database was made with another password',
    seen: 'the logs of PostgreSQL, of the job that makes roles, and of clients',
    meaning:
      'A password of the store is not the one that the database knows: its volume was made with another one, or a deploy was cut off between the two.',
    remedy:
      '`npx cdktf deploy <env>` sets the passwords of roles again. Where it is the superuser’s, bring back the one that the volume was made with: `npx ragdock secrets set <env> postgres-superuser-password --replace`, which changes the lock file where that has its fingerprint; then deploy.',
  },
  'qdrant-recovery-mode': {
    severity: 'broken',
    rank: 1,
    title: 'Qdrant is in recovery mode',
    seen: 'the log of Qdrant, or a variable of its container',
    meaning:
      'It was killed while it loaded its collections, or somebody said so: collections are closed and can only be deleted, while its probes are green.',
    remedy:
      'Raise `services.qdrant.memory` and `npx cdktf deploy <env>`, or delete what does not fit and `docker restart <container>`.',
  },
  'collection-mismatch': {
    severity: 'broken',
    rank: 1,
    title: 'A collection was made otherwise',
    seen: 'the logs of the job that makes collections and of the API',
    meaning:
      'The collection <collection> in Qdrant has not what the lock file promises of it (language, embedding model, dimension).',
    remedy:
      'Name another collection in the environment file, or delete this one and ingest its documents again; `npx ragdock lock <env> --check` shows what is promised.',
  },
  'embedding-mismatch': {
    severity: 'broken',
    rank: 1,
    title: 'Vectors of another length than was promised',
    seen: 'the log of the API',
    meaning: 'The embedding server gives vectors of <has> numbers, and the environment says <said>.',
    remedy:
      'Correct `services.embeddings.dimension` or `services.embeddings.model`, then `npx ragdock lock <env>` and `npx cdktf deploy <env>`.',
  },
  'volume-not-writable': {
    severity: 'broken',
    rank: 2,
    title: 'A volume belongs to somebody else',
    seen: 'the owner of its folder where the engine is on this machine and lets us look; logs (“Permission denied”)',
    meaning: 'The user of the container may not use a file or a folder of its volume: it belongs to somebody else.',
    remedy:
      '`docker rm <ownership>` and `npx cdktf deploy <env>`: that runs the job again that gives volumes to their users.',
  },
} as const satisfies Readonly<Record<string, FindingKind>>;
