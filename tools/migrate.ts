import { loadConfig, readEnvironment } from '../src/config/load-config';
import { tellFailure } from '../src/config/start.error';
import { migrate, revertLast } from '../src/platform/database/migrate';
import { roleAccessOf } from '../src/platform/database/role-access';

/** `npm run typeorm:migration:run` and `:revert`: up to this version, or the last migration back. Needs DATABASE_URL. */
async function main(direction: string | undefined): Promise<void> {
  const access = roleAccessOf(loadConfig(readEnvironment()));
  if (direction === 'down') await revertLast(access.ownerUrl);
  else await migrate({ ...access, log: (line) => console.log(line) });
}

main(process.argv[2]).catch((error: unknown) => process.exit(tellFailure(error)));
