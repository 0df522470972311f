/** The oldest Node that the service runs on: what its HTTP client (undici) asks for. */
const OLDEST = { major: 22, minor: 19 };

/** Why the service cannot run on this version of Node (`20.20.2`), as a sentence; null when it can. */
export function nodeProblem(version: string): string | null {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > OLDEST.major || (major === OLDEST.major && minor >= OLDEST.minor)) return null;
  return (
    `Node ${OLDEST.major}.${OLDEST.minor} or newer is needed, this is ${version}. ` +
    'npm ci brings one along: npm start and npm run start:prod take it.'
  );
}
