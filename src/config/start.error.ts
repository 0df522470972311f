/** EX_CONFIG of sysexits.h: a supervisor need not try again. */
const EXIT_CONFIG = 78;

/** Why the start cannot go on, as a sentence for the person at the terminal: what is wrong and which variable mends it. */
export class StartError extends Error {
  /** What the process ends with. */
  readonly exitCode: number = 1;

  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'StartError';
  }
}

/** The start was refused: the message lists every variable at fault, one a line. */
export class ConfigError extends StartError {
  override readonly exitCode = EXIT_CONFIG;

  constructor(problems: string[]) {
    super(`The configuration is not valid:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

/** Where somebody wanted to listen, and the variable that says so. */
interface Place {
  variable: 'PORT' | 'GATEWAY_PORT' | 'WAHA_SIMULATOR_PORT';
  port: number;
  host: string;
}

/** What a failure to listen means; anything else as it is. */
export function listenProblem(error: unknown, { variable, port, host }: Place): unknown {
  switch (codeOf(error)) {
    case 'EADDRINUSE':
      return new StartError(`Port ${port} is in use: end what uses it, or set ${variable}`, { cause: error });
    case 'EACCES':
      return new StartError(`This account may not listen on port ${port}: set ${variable}`, { cause: error });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EINVAL':
      return new StartError(`${host} is no address of this machine: set HOST`, { cause: error });
    default:
      return error;
  }
}

/** System errors and SQLSTATEs with which PostgreSQL cannot be worked with at all. */
const DATABASE_PROBLEMS: Record<string, string> = {
  ECONNREFUSED: 'nothing listens at its address',
  ECONNRESET: 'it broke the connection off',
  ENOTFOUND: 'its host is not known',
  EAI_AGAIN: 'its host is not known',
  ETIMEDOUT: 'its host does not answer',
  EHOSTUNREACH: 'its host cannot be reached',
  ENETUNREACH: 'its host cannot be reached',
  '28000': 'its user may not log in',
  '28P01': 'its user or password is wrong',
  '3D000': 'it has no such database',
  '42501': 'its user must own the database and may have to create roles',
  '53300': 'it has no connection left',
  '57P03': 'it is not ready yet',
};

/** What a failure to work with the database means; anything else as it is. Names no password. */
function databaseProblem(error: unknown): unknown {
  const problem = DATABASE_PROBLEMS[codeOf(error) ?? ''];
  if (!problem || !(error instanceof Error)) return error;
  // Of a host with several addresses each has failed, and the whole says nothing.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const said = first instanceof Error ? first.message : error.message;
  return new StartError(`PostgreSQL cannot be used: ${problem} (${said}). Set DATABASE_URL (or DB_HOST and its kin)`, {
    cause: error,
  });
}

/**
 * Tells why a start or a tool failed: one sentence where a person can mend it, the whole error where it is ours to mend.
 * @returns what the process should end with
 */
export function tellFailure(error: unknown): number {
  const problem = error instanceof StartError ? error : databaseProblem(error);
  if (!(problem instanceof StartError)) {
    console.error(error);
    return 1;
  }
  console.error(problem.message);
  return problem.exitCode;
}

/** The `code` of a system or PostgreSQL error. */
function codeOf(error: unknown): string | undefined {
  const code: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' ? code : undefined;
}
