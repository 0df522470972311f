import { chmod, mkdir, open, readFile, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { codeOf, EmbeddedError } from './embedded.error';

/** An account of the operating system, by its numbers. */
export interface Account {
  uid: number;
  gid: number;
}

const runsAsRoot = (): boolean => process.getuid?.() === 0;

/**
 * The unprivileged account that PostgreSQL runs as when we are root, which it refuses: the owner of an existing data
 * directory, else `nobody`, which every system has. Undefined when we are not root: then PostgreSQL runs as we do.
 */
export async function serverAccount(dataDir: string): Promise<Account | undefined> {
  if (!runsAsRoot()) return undefined;
  const owner = await stat(dataDir).catch(() => undefined);
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  const accounts = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const nobody = /^nobody:[^:]*:(\d+):(\d+):/m.exec(accounts);
  return { uid: Number(nobody?.[1] ?? 65534), gid: Number(nobody?.[2] ?? 65534) };
}

/**
 * Makes a folder with its parents where they are missing: closed to others (700), but traversable (711) when we are root,
 * because the account of `serverAccount` has to reach what lies below. Folders that exist are left as they are.
 */
export async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (first === undefined || !runsAsRoot()) return;
  // Bottom-up from the folder to the first one made; chmod, because the umask would narrow the mode given to mkdir.
  for (let made = folder; made.length >= first.length; made = path.dirname(made)) await chmod(made, 0o711);
}

const UNUSABLE = [
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOTDIR',
  'EISDIR',
  'EEXIST',
  'ENOENT',
  'ENOSPC',
  'ENAMETOOLONG',
  'ELOOP',
];

/** What a failure of the file system means for the folder that all was to lie in; anything else as it is. */
export function folderProblem(error: unknown, folder: string): unknown {
  const code = codeOf(error);
  if (!(error instanceof Error) || !code || !UNUSABLE.includes(code)) return error;
  const { syscall, path: at = folder } = error as NodeJS.ErrnoException;
  if (error instanceof EmbeddedError || syscall?.startsWith('spawn')) return error;
  return new EmbeddedError(
    'unusable-folder',
    `${path.resolve(at)} cannot be used (${code}): choose another folder (EMBEDDED_DATA_DIR), or make this one a folder ` +
      'that this account can write.',
    error,
  );
}

/**
 * Checks that the account can enter the folder and all that lie above it; `advice` is what to do about it besides
 * opening the folder in the way. Error `unreachable` names that folder.
 */
export async function assertReachable(folder: string, account: Account | undefined, advice: string): Promise<void> {
  if (!account) return;
  const real = await realpath(folder);
  for (let at = real; ; at = path.dirname(at)) {
    const { uid, gid, mode } = await stat(at);
    const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) {
      throw new EmbeddedError(
        'unreachable',
        `PostgreSQL does not run as root, so it was to run as uid ${account.uid}, but that account cannot enter ${at} ` +
          `(mode ${(mode & 0o777).toString(8).padStart(4, '0')}). ${advice}, start as a normal user, ` +
          `or let others pass through: chmod o+x ${at}`,
      );
    }
    if (at === path.dirname(at)) return;
  }
}

/** Makes a rename or a new file in this folder survive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return; // folders cannot be opened there
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (error) {
    if (codeOf(error) !== 'EINVAL') throw error; // a file system without fsync for folders
  } finally {
    await handle.close();
  }
}
