const { default: Sequencer } = require('@jest/test-sequencer');

/** Begun last, one of these would run alone while the other workers have nothing left to do. */
const LONG = [
  'test/faults/everything',
  'test/e2e/process',
  'test/faults/',
  'test/e2e/contacts',
  'test/database/pace-day',
  'test/database/message-machine',
  'test/database/message-stats',
  'test/e2e/server-drain',
  'src/embedded/postgres',
  'test/security/revocation',
];

/** Jest's order (failed before, then by the time that it took, else by size), behind the specs that are known to take long. */
module.exports = class LongestFirst extends Sequencer {
  sort(tests) {
    const rankOf = ({ path }) => {
      const rank = LONG.findIndex((part) => path.replaceAll('\\', '/').includes(part));
      return rank < 0 ? LONG.length : rank;
    };
    return super.sort(tests).toSorted((a, b) => rankOf(a) - rankOf(b));
  }
};
