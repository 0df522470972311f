import { loadConfig, readEnvironment } from '../config/load-config';
import { ConfigError, listenProblem, tellFailure } from '../config/start.error';
import { startSimulator } from './simulator';

/** The simulator alone, for a service that runs elsewhere: WAHA_SIMULATOR_PORT, WAHA_API_KEY, SIMULATOR_ENGINE, HOST. */
async function main(): Promise<void> {
  const {
    WAHA_SIMULATOR_PORT: port,
    WAHA_API_KEY: apiKey,
    SIMULATOR_ENGINE: engine,
    HOST: host,
  } = loadConfig(readEnvironment());
  if (!apiKey) throw new ConfigError(['WAHA_API_KEY is required for the simulator on its own']);
  const simulator = await startSimulator({ port, apiKey, engine, host }).catch((error: unknown) => {
    throw listenProblem(error, { variable: 'WAHA_SIMULATOR_PORT', port, host });
  });
  console.log(`WAHA simulator (${engine}) at ${simulator.url}`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void simulator.close());
}

main().catch((error: unknown) => process.exit(tellFailure(error)));
