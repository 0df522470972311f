import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { ErrorBody } from '../../src/platform/http/error-body';
import type { LoginResponse, TokensResponse } from '../../src/modules/auth/dto/tokens.response';
import type { UserResponse } from '../../src/modules/users/dto/user.response';
import type { TestAccount } from './accounts';

/** An answer of the application; what is read of its body is read as `T`. */
export interface Answer<T> {
  statusCode: number;
  headers: Record<string, unknown>;
  text: string;
  /** Undefined when there is none. */
  body: T;
  /** Status and code of an error: `401 AUTHENTICATION_FAILED`. */
  refusal: string;
}

/** What a request carries beside its address. */
export interface CallOptions {
  payload?: object;
  /** Access token. */
  token?: string;
  headers?: Record<string, string>;
}

/** Calls the application as its clients do, without a socket. */
export class Api {
  constructor(private readonly app: NestFastifyApplication) {}

  get<T = unknown>(url: string, options: CallOptions = {}): Promise<Answer<T>> {
    return this.call<T>('GET', url, options);
  }

  post<T = unknown>(url: string, payload?: object, options: CallOptions = {}): Promise<Answer<T>> {
    return this.call<T>('POST', url, { ...options, ...(payload ? { payload } : {}) });
  }

  delete<T = unknown>(url: string, options: CallOptions = {}): Promise<Answer<T>> {
    return this.call<T>('DELETE', url, options);
  }

  /** Logs the account in; fails unless that works. */
  async logIn({ email, password, tenantId }: TestAccount): Promise<LoginResponse> {
    const answer = await this.post<LoginResponse>('/auth/login', { email, password, tenant: tenantId });
    if (answer.statusCode !== 200) throw new Error(`Logging in gave ${answer.refusal}`);
    return answer.body;
  }

  refresh(token: string): Promise<Answer<TokensResponse>> {
    return this.post('/auth/refresh', { refresh_token: token });
  }

  me(token: string): Promise<Answer<UserResponse>> {
    return this.get('/users/me', { token });
  }

  private async call<T>(method: 'GET' | 'POST' | 'DELETE', url: string, options: CallOptions): Promise<Answer<T>> {
    const { payload, token, headers } = options;
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const answer = await this.app.inject({ method, url, payload, headers: { ...authorization, ...headers } });
    const body = (answer.body === '' ? undefined : JSON.parse(answer.body)) as T;
    const { code } = (body ?? {}) as Partial<ErrorBody>;
    const { statusCode } = answer;
    return { statusCode, headers: answer.headers, text: answer.body, body, refusal: `${statusCode} ${code}` };
  }
}
