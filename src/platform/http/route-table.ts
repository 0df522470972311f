import type { FastifyInstance } from 'fastify';

interface RouteShape {
  segments: string[];
  methods: Set<string>;
}

/** Every route that the router has, so that a path with another method can be told from a path that does not exist. */
export class RouteTable {
  private readonly shapes = new Map<string, RouteShape>();

  /** Notes every route that is registered from now on. */
  watch(fastify: FastifyInstance): void {
    fastify.addHook('onRoute', ({ url, method }) => {
      for (const name of [method].flat()) this.add(name, url);
    });
  }

  /** All routes as `METHOD /path/:parameter`. */
  list(): string[] {
    return [...this.shapes].flatMap(([url, shape]) => [...shape.methods].map((method) => `${method} ${url}`));
  }

  /** Methods that the path has; empty for a path that does not exist. */
  methodsOf(path: string): string[] {
    const segments = split(path);
    const matching = [...this.shapes.values()].filter((shape) => matches(shape.segments, segments));
    return [...new Set(matching.flatMap((shape) => [...shape.methods]))].sort();
  }

  private add(method: string, url: string): void {
    const shape = this.shapes.get(url) ?? { segments: split(url), methods: new Set() };
    shape.methods.add(method);
    this.shapes.set(url, shape);
  }
}

const split = (url: string): string[] => (url.split('?', 1)[0] ?? '').split('/').slice(1);

function matches(template: string[], segments: string[]): boolean {
  // A bare `*` is the CORS plugin's answer to preflights: it says nothing of whether the path exists.
  if (template.length === 1 && template[0] === '*') return false;
  if (template.at(-1) === '*') return template.slice(0, -1).every((part, index) => part === segments[index]);
  if (template.length !== segments.length) return false;
  return template.every((part, index) => (part.startsWith(':') ? segments[index] !== '' : part === segments[index]));
}
