/**
 * Which way imports point: main → app.module → modules → platform → config → common, never upwards. A feature reaches
 * another only where the table says so, and only through its module, service, events or errors file, and its requests and
 * responses: what one feature's body says of another is that one's to say.
 */
const EDGES = {
  tenants: [],
  users: ['tenants'],
  'api-keys': ['tenants'],
  auth: ['users', 'tenants', 'api-keys'],
  demo: ['users', 'tenants'],
  files: ['tenants'],
  products: ['files'],
  customers: ['tenants'],
  waha: ['tenants', 'files'],
  templates: [],
  messages: ['waha', 'files', 'templates'],
  orders: ['customers', 'products', 'messages', 'templates', 'tenants'],
  imports: ['customers', 'products', 'tenants'],
  exports: [],
  webhooks: ['waha', 'messages', 'files'],
  campaigns: ['messages', 'customers', 'templates', 'waha'],
  conversations: ['messages', 'customers'],
  gateway: ['auth', 'tenants', 'api-keys'],
  data: ['auth', 'tenants'],
  endpoints: ['tenants'],
  audit: [],
  health: [],
};

/** What a feature shows to another. */
const FACE = String.raw`\.(module|service|events|errors|response|dto)\.ts$`;
const TEST = String.raw`\.(spec|e2e-spec)\.ts$`;

const edgeRules = Object.entries(EDGES).map(([feature, allowed]) => ({
  name: `edges-of-${feature}`,
  comment: `${feature} may reach ${allowed.join(', ') || 'no other feature'}`,
  severity: 'error',
  from: { path: `^src/modules/${feature}/`, pathNot: TEST },
  to: { path: '^src/modules/', pathNot: `^src/modules/(${[feature, ...allowed].join('|')})/` },
}));

/** Layers from the top: each may import itself and what stands below. */
const LAYERS = ['modules', 'platform', 'config', 'common'];
const layerRules = LAYERS.map((layer, index) => ({
  name: `${layer}-imports-downwards`,
  severity: 'error',
  from: { path: `^src/${layer}/`, pathNot: TEST },
  to: { path: '^src/', pathNot: `^src/(${LAYERS.slice(index).join('|')})/` },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'no-undeclared-packages',
      severity: 'error',
      from: { pathNot: TEST },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
    {
      name: 'no-dev-packages-in-the-service',
      severity: 'error',
      from: { path: '^src/', pathNot: TEST },
      to: { dependencyTypes: ['npm-dev'] },
    },
    ...layerRules,
    ...edgeRules,
    {
      name: 'features-are-in-the-table',
      comment: 'A new feature gets its line in EDGES first',
      severity: 'error',
      from: { path: '^src/modules/', pathNot: `^src/modules/(${Object.keys(EDGES).join('|')})/` },
      to: {},
    },
    {
      name: 'features-meet-at-their-face',
      severity: 'error',
      from: { path: '^src/modules/([^/]+)/', pathNot: TEST },
      to: { path: '^src/modules/', pathNot: ['^src/modules/$1/', FACE] },
    },
    {
      name: 'common-is-pure',
      severity: 'error',
      from: { path: '^src/common/', pathNot: TEST },
      to: { path: 'node_modules/(@nestjs|typeorm|pg|fastify|ioredis)' },
    },
    {
      name: 'only-its-main-and-the-embedded-start-know-the-simulator',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/simulator/', '^src/embedded/', TEST] },
      to: { path: '^src/simulator/' },
    },
    {
      name: 'the-simulator-knows-nothing-of-the-service',
      comment: 'Its main reads its variables as every process does',
      severity: 'error',
      from: { path: '^src/simulator/', pathNot: TEST },
      to: { path: '^src/', pathNot: '^src/(simulator|common|config)/' },
    },
    {
      name: 'only-main-and-tests-start',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/(main|bootstrap)\\.ts$', TEST] },
      to: { path: '^src/(main|bootstrap|app\\.module)\\.ts$' },
    },
    {
      name: 'no-production-import-of-tests',
      severity: 'error',
      from: { path: '^(src|migrations)/', pathNot: TEST },
      to: { path: ['^test/', TEST] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: TEST },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
