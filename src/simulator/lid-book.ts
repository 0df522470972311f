/** Which hidden id (`@lid`) belongs to which phone (`@c.us`), as far as a session has learnt it. */
export class LidBook {
  private readonly phoneByLid = new Map<string, string>();
  private readonly lidByPhone = new Map<string, string>();

  /** Remembers that both are one person. */
  learn(lid: string, phone: string): void {
    this.phoneByLid.set(lid, phone);
    this.lidByPhone.set(phone, lid);
  }

  /** The phone of a hidden id. */
  phoneOf(lid: string): string | null {
    return this.phoneByLid.get(lid) ?? null;
  }

  /** The hidden id of a phone. */
  lidOf(phone: string): string | null {
    return this.lidByPhone.get(phone) ?? null;
  }

  /** One key for both ids of a chat: the phone where it is known. */
  chatKey(chatId: string): string {
    return this.phoneByLid.get(chatId) ?? chatId;
  }

  /** All pairs, in the order in which they were learnt. */
  pairs(): Array<[lid: string, phone: string]> {
    return [...this.phoneByLid];
  }
}
