/** Who is who, as far as a session has learnt it: hidden ids (`@lid`) of phones (`@c.us`), and other spellings of their numbers. */
export class LidBook {
  private readonly phoneByLid = new Map<string, string>();
  private readonly lidByPhone = new Map<string, string>();
  private readonly phoneBySpelling = new Map<string, string>();

  /** Remembers that both are one person. */
  learn(lid: string, phone: string): void {
    this.phoneByLid.set(lid, phone);
    this.lidByPhone.set(phone, lid);
  }

  /** Remembers that WhatsApp knows the number by another spelling than some write it. */
  respell(written: string, phone: string): void {
    this.phoneBySpelling.set(written, phone);
  }

  /** The chat id that WhatsApp itself uses for a number, however it is written. */
  properId(chatId: string): string {
    return this.phoneBySpelling.get(chatId) ?? chatId;
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
    const proper = this.properId(chatId);
    return this.phoneByLid.get(proper) ?? proper;
  }

  /** All pairs, in the order in which they were learnt. */
  pairs(): Array<[lid: string, phone: string]> {
    return [...this.phoneByLid];
  }

  /** All other spellings, in the order in which they were learnt. */
  spellings(): Array<[written: string, phone: string]> {
    return [...this.phoneBySpelling];
  }
}
