import path from 'node:path';
import type { Config } from '../config/config';
import { loadConfig, type Variables } from '../config/load-config';
import { listenProblem } from '../config/start.error';
import { startSimulator } from '../simulator/simulator';
import { folderProblem } from './folders';
import { startEmbeddedPostgres } from './postgres';
import { type EmbeddedSecrets, loadOrMakeSecrets } from './secrets';

/** What a start without addresses or secrets was given, and how to end what was started for it. */
export interface EmbeddedPieces {
  /** The variables, completed: all that production would demand is there. */
  variables: Variables;
  /** Which pieces are ours, and not given. */
  embedded: { database: boolean; waha: boolean };
  /** Ends the pieces, last started first. */
  stop(): Promise<void>;
}

type Stop = () => Promise<unknown>;

/**
 * Makes up for what a start on a bare machine lacks: PostgreSQL, the WAHA simulator, and secrets, all in EMBEDDED_DATA_DIR.
 * Each variable that is given replaces its own piece alone. Production is left as it is: it demands them all.
 * @throws StartError
 */
export async function completeEnvironment(given: Variables, log: (line: string) => void): Promise<EmbeddedPieces> {
  const config = loadConfig(given);
  const embedded = { database: !config.DATABASE_URL, waha: !config.WAHA_BASE_URL };
  if (config.NODE_ENV === 'production') return { variables: given, embedded, stop: () => Promise.resolve() };
  const stops: Stop[] = [];
  const stop = async (): Promise<void> => {
    for (const end of stops.splice(0).reverse()) await end();
  };
  try {
    const secrets = needsSecrets(config) ? await loadOrMakeSecrets(config.EMBEDDED_DATA_DIR) : null;
    const made = secrets ? secretVariables(config, secrets) : {};
    if (embedded.database && secrets) made.DATABASE_URL = await startPostgres(config, secrets, { stops, log });
    if (embedded.waha)
      made.WAHA_BASE_URL = await startWaha(config, config.WAHA_API_KEY ?? made.WAHA_API_KEY ?? '', stops);
    return { variables: { ...given, ...made }, embedded, stop };
  } catch (error) {
    await stop();
    throw folderProblem(error, config.EMBEDDED_DATA_DIR);
  }
}

const needsSecrets = ({ JWT_SECRET, DATA_ENCRYPTION_KEY, WAHA_API_KEY, DATABASE_URL }: Config): boolean =>
  !JWT_SECRET || !DATA_ENCRYPTION_KEY || !WAHA_API_KEY || !DATABASE_URL;

function secretVariables(config: Config, secrets: EmbeddedSecrets): Variables {
  return {
    JWT_SECRET: config.JWT_SECRET ?? secrets.jwtSecret,
    DATA_ENCRYPTION_KEY: config.DATA_ENCRYPTION_KEY ?? secrets.dataEncryptionKey,
    WAHA_API_KEY: config.WAHA_API_KEY ?? secrets.wahaApiKey,
  };
}

interface Starting {
  stops: Stop[];
  log: (line: string) => void;
}

async function startPostgres(config: Config, secrets: EmbeddedSecrets, { stops, log }: Starting): Promise<string> {
  const dataDir = path.join(config.EMBEDDED_DATA_DIR, 'postgres');
  const server = await startEmbeddedPostgres({ dataDir, password: secrets.postgresPassword, durability: 'full', log });
  stops.push(() => server.stop());
  return server.url;
}

async function startWaha(config: Config, apiKey: string, stops: Stop[]): Promise<string> {
  const port = config.WAHA_SIMULATOR_PORT;
  const stateFile = path.join(config.EMBEDDED_DATA_DIR, 'simulator.json');
  const simulator = await startSimulator({ port, apiKey, engine: config.SIMULATOR_ENGINE, stateFile }).catch(
    (error: unknown) => {
      throw listenProblem(error, { variable: 'WAHA_SIMULATOR_PORT', port, host: '127.0.0.1' });
    },
  );
  stops.push(() => simulator.close());
  return simulator.url;
}
