import type { HttpClient } from './http-client';
import { startTestApp, type TestApp } from './running-app';

/** The application with an administrator of its tenant, for the tests of one file. */
export class RoutesBed {
  app!: TestApp;
  http!: HttpClient;

  async open(): Promise<void> {
    this.app = await startTestApp();
    this.http = (await this.app.login('TENANT_ADMIN')).http;
  }

  close(): Promise<void> {
    return this.app.close();
  }

  /** A tenant of its own, for what counts all routes: as its administrator calls. */
  async elsewhere(): Promise<HttpClient> {
    return (await this.app.login('TENANT_ADMIN', await this.app.make.tenant())).http;
  }
}
