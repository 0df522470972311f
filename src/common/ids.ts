import { v7, validate } from 'uuid';

/** A new UUIDv7 (RFC 9562): grows with time, so that ids order rows as they came and indexes grow at their end. */
export const newId = (): string => v7();

/** Whether the text is a UUID of any version, in its canonical spelling. */
export const isId = (text: string): boolean => validate(text);
