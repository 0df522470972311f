import { Histogram, type MetricType } from 'prom-client';

/** Upper bounds in seconds of what is counted this way, and of what a request takes. */
export const LATENCY_BUCKETS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** A distribution of durations, counted so cheaply that each request of a hot path can pay for it. */
export class LatencyCounts {
  /** One for each bound and one beyond the last; each counts its own part alone. */
  readonly counts = new Float64Array(LATENCY_BUCKETS_S.length + 1);
  sumS = 0;

  add(seconds: number): void {
    let bucket = 0;
    while (bucket < LATENCY_BUCKETS_S.length && seconds > (LATENCY_BUCKETS_S[bucket] ?? 0)) bucket += 1;
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1;
    this.sumS += seconds;
  }
}

/** The counts of one combination of labels. */
export interface LatencyReading {
  labels: Record<string, string>;
  counts: LatencyCounts;
}

interface Shape {
  name: string;
  help: string;
  labelNames: string[];
  /** Asked at each scrape. */
  read: () => LatencyReading[];
}

// The library declares an enum that it does not have when it runs.
const HISTOGRAM = 'histogram' as unknown as MetricType;

interface Line {
  metricName: string;
  labels: Record<string, string | number>;
  value: number;
}

/** Shows counts that are kept elsewhere as one histogram. */
export class LatencyHistogram extends Histogram {
  constructor(private readonly shape: Shape) {
    super({
      name: shape.name,
      help: shape.help,
      labelNames: shape.labelNames,
      buckets: LATENCY_BUCKETS_S,
      registers: [],
    });
  }

  override get(): ReturnType<Histogram['get']> {
    const { name, help, read } = this.shape;
    const values = read().flatMap((reading) => linesOf(name, reading));
    return Promise.resolve({ name, help, type: HISTOGRAM, aggregator: 'sum', values, collect: () => undefined });
  }

  /** The registry asks for this one where it is there. */
  getForPromString(): ReturnType<Histogram['get']> {
    return this.get();
  }
}

function linesOf(name: string, { labels, counts }: LatencyReading): Line[] {
  let sofar = 0;
  const buckets = [...LATENCY_BUCKETS_S, '+Inf'].map((le, index) => {
    sofar += counts.counts[index] ?? 0;
    return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: sofar };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: counts.sumS },
    { metricName: `${name}_count`, labels, value: sofar },
  ];
}
