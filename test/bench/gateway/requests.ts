/** Where in its tenant's 1,000 routes the measured one stands; the others ask for the same path. */
export const ROUTE = '/bench-0500';

/** Routes that let one request a minute pass, for trying that limits are on: one for each process that is tried. */
export const LIMITED_PATHS = { logging: '/limited-1', silent: '/limited-2' } as const;

const KIB = 1024;

/** A file of the upstream: its path and what is in it. */
export interface ServedFile {
  path: string;
  content: Buffer;
}

const fileOf = (sizeKib: number): ServedFile => ({
  path: `${ROUTE}/${sizeKib}k.bin`,
  content: Buffer.from(Array.from({ length: sizeKib * KIB }, (_, nth) => (nth * 31 + (nth >> 8)) % 251)),
});

/** What is fetched. */
export const SMALL = fileOf(1);
export const LARGE = fileOf(100);

/** What is posted, and what the upstream says to it. */
export const POSTED = { path: `${ROUTE}/posted`, answer: 'taken in\n', sent: fileOf(10).content };

/** Where the upstream says what has come to it: method, path, headers, and the SHA-256 of the body. */
export const ECHO_PATH = `${ROUTE}/echo`;

/** One kind of request at one number of connections, of which all contenders get the same. */
export interface Scenario {
  title: string;
  method: 'GET' | 'POST';
  path: string;
  body: Buffer | null;
  connections: number;
}

const fetching = (file: ServedFile, connections: number): Omit<Scenario, 'title'> => ({
  ...{ method: 'GET', path: file.path, body: null },
  connections,
});

/** By which aims are told apart. */
export const SCENARIOS = {
  small: { title: 'GET of 1 KiB, 64 connections', ...fetching(SMALL, 64) },
  large: { title: 'GET of 100 KiB, 64 connections', ...fetching(LARGE, 64) },
  post: {
    ...{ title: 'POST of 10 KiB, 64 connections', method: 'POST', path: POSTED.path, body: POSTED.sent },
    connections: 64,
  },
  alone: { title: 'GET of 1 KiB, one connection', ...fetching(SMALL, 1) },
} as const satisfies Record<string, Scenario>;

export type ScenarioName = keyof typeof SCENARIOS;
