import { Injectable } from '@nestjs/common';

/** What a feature is told when the outside world must lose a tenant. */
export interface TenantLeave {
  tenantId: string;
  /** It was tried for long enough: what cannot be reached now stays there, and is counted as left. */
  lastTry: boolean;
  /** Adds to the report of the purge, lasting. */
  count: (what: string, added: number) => Promise<void>;
}

/**
 * Takes what a feature has of a tenant outside the database (sessions in WAHA) out of there, while its rows still say what
 * that is. Called again and again, at the same time in two processes too; throws where it has to be tried again.
 */
export type TenantPurger = (leave: TenantLeave) => Promise<void>;

/**
 * Removes what may still have come of a tenant since, by a process that was at work for it and did not know yet. Called when no row
 * of it is left, and again and again for a day after; throws where it has to be tried again.
 */
export type TenantAftermath = (tenantId: string) => Promise<void>;

/** Features say here what they hold of tenants beside their rows, which go without their help. */
@Injectable()
export class TenantPurgers {
  private readonly purgers = new Map<string, TenantPurger>();
  private readonly aftermaths: TenantAftermath[] = [];

  /** Call it while the modules are set up. The name is that of its part of the report. */
  register(name: string, purger: TenantPurger): void {
    if (this.purgers.has(name)) throw new Error(`There are two purgers of ${name}`);
    this.purgers.set(name, purger);
  }

  /** All of them, by name. */
  all(): [name: string, purger: TenantPurger][] {
    return [...this.purgers];
  }

  /** Call it while the modules are set up. */
  registerAftermath(aftermath: TenantAftermath): void {
    this.aftermaths.push(aftermath);
  }

  /** Removes what came late of a tenant that has no rows any more. @throws whatever must be tried again */
  async goOver(tenantId: string): Promise<void> {
    for (const aftermath of this.aftermaths) await aftermath(tenantId);
  }
}
