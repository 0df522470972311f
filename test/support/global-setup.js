// Jest compiles what these require, as it does for the tests.
const { announceRedis } = require('./redis-program');
const { prepareDatabases } = require('./template');

/** One PostgreSQL per run of Jest, with one migrated template database that every spec file clones; and a Redis program. */
module.exports = async () => {
  await prepareDatabases();
  await announceRedis();
};
