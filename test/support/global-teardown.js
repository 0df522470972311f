const { releaseDatabases } = require('./template');

module.exports = async () => {
  await releaseDatabases();
};
