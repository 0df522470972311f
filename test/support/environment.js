const perfHooks = require('node:perf_hooks');
const { TestEnvironment } = require('jest-environment-node');

/** Ends what watches the process on behalf of the present spec file. */
const ends = [];

const { observe } = perfHooks.PerformanceObserver.prototype;
perfHooks.PerformanceObserver.prototype.observe = function (...args) {
  ends.push(() => this.disconnect());
  return observe.apply(this, args);
};

const { monitorEventLoopDelay } = perfHooks;
perfHooks.monitorEventLoopDelay = (...args) => {
  const histogram = monitorEventLoopDelay(...args);
  ends.push(() => histogram.disable());
  return histogram;
};

/**
 * Node's, with an end to what watches the process: prom-client's default metrics do so for good, as a service does, and Node
 * would keep every module of the spec file for them as long as the worker lives.
 */
module.exports = class SpecEnvironment extends TestEnvironment {
  async teardown() {
    for (const end of ends.splice(0)) end();
    await super.teardown();
  }
};
