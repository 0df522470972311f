import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { LatencyHistogram } from './latency-counts';
import { toOpenMetrics } from './open-metrics';

/** Of prom-client's own: promtool objects to gauges that end in _total. */
const UNWANTED = ['nodejs_active_handles_total', 'nodejs_active_requests_total', 'nodejs_active_resources_total'];
/** The event loop's delay is sampled so often; the library's 10 ms would wake an idle process a hundred times a second. */
const EVENT_LOOP_SAMPLE_MS = 100;

interface MetricShape<L extends string> {
  name: string;
  help: string;
  labelNames?: L[];
}

/** One value that is read when somebody asks. */
export interface Reading {
  labels?: Record<string, string>;
  value: number;
}

interface ReadShape extends MetricShape<string> {
  /** One value, or one for each label; none hides the metric. */
  read: () => Reading[];
}

/**
 * The metrics of the process: one registry. Labels are bounded: templates, states and names of our own, and the ids of WAHA
 * servers, of which there are few; never other ids, paths or anything that a client chooses.
 */
export class Metrics {
  private readonly registry = new Registry();

  constructor() {
    collectDefaultMetrics({ register: this.registry, eventLoopMonitoringPrecision: EVENT_LOOP_SAMPLE_MS });
    for (const name of UNWANTED) this.registry.removeSingleMetric(name);
  }

  /** A count that only grows; its name ends in `_total`. */
  counter<L extends string = never>(shape: MetricShape<L> & { name: `${string}_total` }): Counter<L> {
    return new Counter({ ...shape, registers: [this.registry] });
  }

  /** A distribution. @param shape with `buckets`: upper bounds in the unit of the name */
  histogram<L extends string = never>(shape: MetricShape<L> & { buckets: number[] }): Histogram<L> {
    return new Histogram({ ...shape, registers: [this.registry] });
  }

  /** A value that goes up and down, set by hand. */
  gauge<L extends string = never>(shape: MetricShape<L>): Gauge<L> {
    return new Gauge({ ...shape, registers: [this.registry] });
  }

  /** A value that is read at each scrape. */
  observe({ read, ...shape }: ReadShape): void {
    new Gauge({
      ...shape,
      registers: [this.registry],
      collect() {
        this.reset();
        for (const { labels, value } of read()) this.set(labels ?? {}, value);
      },
    });
  }

  /** A count that is kept elsewhere and read at each scrape. */
  observeTotal({ read, ...shape }: ReadShape & { name: `${string}_total` }): void {
    new Counter({
      ...shape,
      registers: [this.registry],
      collect() {
        this.reset();
        for (const { labels, value } of read()) this.inc(labels ?? {}, value);
      },
    });
  }

  /** Durations that are counted elsewhere and read at each scrape; its name ends in `_seconds`. */
  observeLatency(shape: ConstructorParameters<typeof LatencyHistogram>[0]): void {
    this.registry.registerMetric(new LatencyHistogram(shape));
  }

  /** All metrics as text. */
  async render(format: 'prometheus' | 'openmetrics'): Promise<string> {
    const text = await this.registry.metrics();
    return format === 'openmetrics' ? toOpenMetrics(text) : text;
  }

  /** The present value of a metric without labels; undefined when there is none. */
  async valueOf(name: string): Promise<number | undefined> {
    return (await this.registry.getSingleMetric(name)?.get())?.values[0]?.value;
  }
}
