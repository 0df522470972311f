/** Media type of OpenMetrics 1.0. */
export const OPEN_METRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

const COUNTER = /^# TYPE (\S+)_total counter$/gm;

/**
 * Prometheus text as OpenMetrics: a counter's family is named without `_total`, there are no empty lines, and the end is
 * marked. (prom-client can do it too, but renames its counters for good when it does.)
 */
export function toOpenMetrics(text: string): string {
  const counters = [...text.matchAll(COUNTER)].map(([, name = '']) => name);
  const renamed = counters.reduce(
    (all, name) =>
      all
        .replace(`# HELP ${name}_total `, `# HELP ${name} `)
        .replace(`# TYPE ${name}_total counter`, `# TYPE ${name} counter`),
    text,
  );
  return `${renamed.replace(/\n{2,}/g, '\n').trimEnd()}\n# EOF\n`;
}

/** Whether the client prefers OpenMetrics; Prometheus itself names it first. */
export function wantsOpenMetrics(accept: string | undefined): boolean {
  if (!accept) return false;
  const open = qualityOf(accept, 'application/openmetrics-text');
  return open > 0 && open >= qualityOf(accept, 'text/plain');
}

function qualityOf(accept: string, type: string): number {
  const range = accept.split(',').find((part) => part.split(';')[0]?.trim().toLowerCase() === type);
  if (range === undefined) return 0;
  const quality = /;\s*q=([\d.]+)/.exec(range)?.[1];
  return quality === undefined ? 1 : Number(quality);
}
