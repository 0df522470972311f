import type { ErrorBody } from '../../src/platform/http/error-body';

/** An answer that came over the wire; what is read of its body is read as `T`. */
export interface HttpAnswer<T> {
  status: number;
  headers: Headers;
  bytes: Buffer;
  /** As text, byte for byte. */
  text: string;
  /** Undefined when it is no JSON. */
  body: T;
  /** Status and code of an error: `404 NOT_FOUND`; of a success the status alone. */
  outcome: string;
}

/** What a request carries beside its address and body. */
export interface HttpOptions {
  headers?: Record<string, string>;
  timeoutMs?: number;
}

/** Calls a service that listens, as its clients do. */
export class HttpClient {
  /** @param headers sent with each request */
  constructor(
    readonly baseUrl: string,
    private readonly headers: Record<string, string> = {},
  ) {}

  /** The same client with further headers. */
  with(headers: Record<string, string>): HttpClient {
    return new HttpClient(this.baseUrl, { ...this.headers, ...headers });
  }

  /** The same caller at another process. */
  at(baseUrl: string): HttpClient {
    return new HttpClient(baseUrl, this.headers);
  }

  /** The access token that it sends; empty where it sends none. */
  get accessToken(): string {
    return this.headers.authorization?.replace(/^Bearer /, '') ?? '';
  }

  get<T = never>(path: string, options: HttpOptions = {}): Promise<HttpAnswer<T>> {
    return this.call<T>('GET', path, undefined, options);
  }

  /** A body that is an object goes as JSON, text and bytes as they are. */
  post<T = never>(path: string, body?: object | string, options: HttpOptions = {}): Promise<HttpAnswer<T>> {
    return this.call<T>('POST', path, body, options);
  }

  delete<T = never>(path: string, options: HttpOptions = {}): Promise<HttpAnswer<T>> {
    return this.call<T>('DELETE', path, undefined, options);
  }

  async call<T = never>(
    method: string,
    path: string,
    body?: object | string,
    { headers, timeoutMs = 20_000 }: HttpOptions = {},
  ): Promise<HttpAnswer<T>> {
    const untouched = body === undefined || typeof body === 'string' || Buffer.isBuffer(body);
    const response = await fetch(this.baseUrl + path, {
      method,
      body: (untouched ? body : JSON.stringify(body)) as string | undefined,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...this.headers,
        ...headers,
      },
      signal: AbortSignal.timeout(timeoutMs),
    });
    return answerOf<T>(response);
  }
}

async function answerOf<T>(response: Response): Promise<HttpAnswer<T>> {
  const { status, headers } = response;
  const bytes = Buffer.from(await response.arrayBuffer());
  const text = bytes.toString('utf8');
  const isJson = headers.get('content-type')?.startsWith('application/json') === true && text !== '';
  const body = (isJson ? JSON.parse(text) : undefined) as T;
  const { code } = (body ?? {}) as Partial<ErrorBody>;
  return { status, headers, bytes, text, body, outcome: code && status >= 400 ? `${status} ${code}` : String(status) };
}
