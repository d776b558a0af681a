import { loggerOptions } from '../rag-api/logger.js';
import { AcceptedSecrets, FileCredential } from '../secret-file.js';
import { readSettings, readVariables } from '../settings-file.js';
import { buildWebBot } from './app.js';
import { readAssets } from './assets.js';
import { limitsFor } from './limits.js';
import { HttpRagApi } from './rag-api.js';
import { WEB_BOT_VARIABLES, WebBotSettings } from './settings.js';

/**
 * Run the web bot until SIGTERM or SIGINT, and return when the answers in flight have ended. It listens at once,
 * whether the API is there or not; `/readyz` says when it is.
 *
 * @param env - see {@link WEB_BOT_VARIABLES}
 * @throws before it listens, when a variable, the settings file or a key is missing or wrong
 */
export async function runWebBot(env: NodeJS.ProcessEnv): Promise<void> {
  const variables = readVariables(env, WEB_BOT_VARIABLES, {
    settings: 'path',
    apiUrl: 'http-url',
    apiKeyFile: 'path',
    sessionKeyFile: 'path',
  });
  const settings = readSettings(variables.settings, WebBotSettings);
  const key = await FileCredential.open(variables.apiKeyFile);
  const limits = limitsFor(settings);
  // What the key before has signed is good for as long as a token lives, and no longer.
  const signing = new AcceptedSecrets(variables.sessionKeyFile, limits.sessionMs);
  const sessionKeys = () => signing.read();
  // A key that is missing is found now and not by the first reader.
  await sessionKeys();
  const api = new HttpRagApi(variables.apiUrl, key, limits.api);
  const assets = await readAssets();
  const logger = loggerOptions(env.LOG_LEVEL);
  const app = await buildWebBot({ settings, api, assets, sessionKeys, limits, logger });

  const stopped = new Promise<NodeJS.Signals>((resolve) => {
    // Once: a second signal ends the process the hard way.
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  await app.listen({ host: '0.0.0.0', port: settings.listen.port });
  app.log.info({ signal: await stopped }, 'stopping');
  await app.close();
  await api.close();
}
