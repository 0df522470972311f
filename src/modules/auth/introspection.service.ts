import { Injectable } from '@nestjs/common';
import { AppError } from '../../common/app-error';
import { type Actor, isUser } from '../../common/actor';
import { type LiveToken, LiveTokens } from './live-tokens';
import { Profiles } from './profiles';

/** A token that lives. */
export interface Introspected extends LiveToken {
  /** The user's; null for an API key. */
  email: string | null;
}

/** What services of the tenant ask of access tokens that were shown to them (RFC 7662). */
@Injectable()
export class Introspection {
  constructor(
    private readonly tokens: LiveTokens,
    private readonly profiles: Profiles,
  ) {}

  /** The token, if the guard would take it now and it is of the asker's tenant; null in all other cases alike. */
  async ask(asker: Actor, token: string): Promise<Introspected | null> {
    const live = await this.tokens.find(token, null);
    if (live?.actor.tenantId !== asker.tenantId) return null;
    const { actor } = live;
    try {
      return { ...live, email: isUser(actor) ? (await this.profiles.userOf(actor)).email : null };
    } catch (error) {
      // Removed elsewhere a moment ago: its token lives no more.
      if (error instanceof AppError && error.code === 'AUTHENTICATION_FAILED') return null;
      throw error;
    }
  }
}
