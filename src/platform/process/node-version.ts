/** The oldest Node that the service runs on: what its HTTP client (undici) asks for. */
const OLDEST = { major: 22, minor: 19 };
/** The first whose HTTP servers ask about each request that would change its protocol (`shouldUpgradeCallback`). */
const FIRST_TO_ASK = { major: 24, minor: 9 };

function isFrom(version: string, first: typeof OLDEST): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > first.major || (major === first.major && minor >= first.minor);
}

/** Why the service cannot run on this version of Node (`20.20.2`), as a sentence; null when it can. */
export function nodeProblem(version: string): string | null {
  if (isFrom(version, OLDEST)) return null;
  return (
    `Node ${OLDEST.major}.${OLDEST.minor} or newer is needed, this is ${version}. ` +
    'npm ci brings one along: npm start and npm run start:prod take it.'
  );
}

/** Whether an HTTP server of this version of Node can be told, request by request, which may change their protocol. */
export function asksBeforeUpgrades(version: string): boolean {
  return isFrom(version, FIRST_TO_ASK);
}
