import { Client, type ClientBase, DatabaseError, Pool, type PoolClient, type PoolConfig, type QueryResult } from 'pg';
import { SET_TENANT, TenantQuery } from './tenant-query';
import { tenantInScope } from './tenant-scope';
import { VALUE_TYPES } from './timestamps';

/** Beyond so many texts a statement goes unnamed: each name costs memory on every connection of the server. */
const MAX_NAMES = 500;
const UNNAMED =
  /^\s*(begin|start|commit|rollback|savepoint|release|set|show|create|alter|drop|lock|listen|unlisten|notify|truncate)\b/i;

const names = new Map<string, string>();

/** The name under which the text is prepared; PostgreSQL then plans it once for each connection (docs/decisions/0002). */
function nameOf(text: string): string | undefined {
  const known = names.get(text);
  if (known !== undefined || names.size >= MAX_NAMES || UNNAMED.test(text)) return known;
  const name = `s${names.size}`;
  names.set(text, name);
  return name;
}

interface Statement {
  /** Undefined where there are names enough. */
  name: string | undefined;
  text: string;
  values: unknown[];
}

type QueryCallback = (error: Error | null, result: QueryResult) => void;

/** A client of pg that names repeated statements and sends the tenant in scope along with each, in the same round trip. */
class NamedClient extends Client {
  // pg's pool passes a callback, everybody else awaits.
  override connect = ((callback?: (error: Error | null) => void): Promise<void> | undefined => {
    const connected = super.connect().then(async () => {
      await super.query({ ...SET_TENANT, values: [''] });
    });
    if (!callback) return connected;
    connected.then(() => callback(null), callback);
    return undefined;
  }) as Client['connect'];

  private readonly send = super.query.bind(this) as (...args: unknown[]) => unknown;

  // pg overloads query seven ways; what is not a plain text with values goes through untouched.
  override query = ((text: unknown, values?: unknown, callback?: unknown): unknown => {
    if (typeof text !== 'string') return this.send(text, values, callback);
    const done = typeof values === 'function' ? values : callback;
    const parameters = typeof values === 'function' ? undefined : values;
    const name = nameOf(text);
    if (name === undefined && UNNAMED.test(text)) return this.send(text, parameters, done);
    const config = { name, text, values: (parameters ?? []) as unknown[] };
    return this.sendInScope(config, done as QueryCallback | undefined);
  }) as Client['query'];

  private sendInScope(config: Statement, callback?: QueryCallback): unknown {
    const tenant = tenantInScope();
    if (tenant === undefined) return this.send(config, callback);
    if (callback) return this.send(new TenantQuery(tenant, config, callback));
    return new Promise<QueryResult>((resolve, reject) => {
      this.send(new TenantQuery(tenant, config, (error, result) => (error ? reject(error) : resolve(result))));
    });
  }
}

/** A pool of such clients; a broken idle connection is dropped and opened again on demand, never fatal. */
export class NamedPool extends Pool {
  constructor(config: PoolConfig) {
    super({ ...config, types: VALUE_TYPES, Client: NamedClient });
    this.on('error', () => undefined);
    this.on('release', (error, client) => {
      if (!error && !isClean(client)) discard(client);
    });
    // While a client is out of the pool nobody else listens: its statement is rejected, and the event would end the process.
    this.on('connect', (client) => client.on('error', () => undefined));
  }

  /** One statement on behalf of the tenants (comma-joined ids), in one round trip. */
  async queryAs<R>(tenants: string, text: string, params: unknown[] = [], { named = true } = {}): Promise<R[]> {
    const client: PoolClient = await this.connect();
    let failure: Error | undefined;
    try {
      return await sendAs<R>(client, tenants, { name: named ? nameOf(text) : undefined, text, values: params });
    } catch (error) {
      failure = error as Error;
      throw error;
    } finally {
      client.release(failure !== undefined && isConnectionLoss(failure));
    }
  }
}

const sendAs = <R>(client: ClientBase, tenants: string, statement: Statement): Promise<R[]> =>
  new Promise<R[]>((resolve, reject) => {
    client.query(
      new TenantQuery(tenants, statement, (error, result) =>
        error ? reject(error) : resolve(result.rows as R[]),
      ) as never,
    );
  });

/** One statement on a connection that is held, on behalf of the tenants: planned for its values, and without a name. */
export const sendOnceAs = <R>(client: ClientBase, tenants: string, text: string, params: unknown[]): Promise<R[]> =>
  sendAs<R>(client, tenants, { name: undefined, text, values: params });

/** SQLSTATEs with which PostgreSQL ends the connection itself: shut down, crashed, timed out. */
const LAST_WORDS = /^(08|57P|25P0[34])/;

/** What is not PostgreSQL's own answer, or its last one, was the connection's failure: it is not put back. */
const isConnectionLoss = (error: Error): boolean =>
  !(error instanceof DatabaseError) || LAST_WORDS.test(error.code ?? '');

/** What we use of pg's client; its types do not declare it. pg is pinned and tests hold this to account. */
interface ClientState {
  readyForQuery: boolean;
  _queryable: boolean;
  getTransactionStatus(): 'I' | 'T' | 'E' | null;
  connection: { stream: { destroy(): void } };
}

/** Neither inside a transaction nor still waiting for an answer: a statement that timed out may leave it in both. */
function isClean(client: unknown): boolean {
  const state = client as ClientState;
  return state.readyForQuery && state.getTransactionStatus() === 'I';
}

/** The pool keeps a released client unless it is not queryable; the next tenant must not land in an open transaction. */
function discard(client: unknown): void {
  const state = client as ClientState;
  state._queryable = false;
  state.connection.stream.destroy();
}
