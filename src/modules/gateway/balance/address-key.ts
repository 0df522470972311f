import { hash } from 'node:crypto';

/** Of a digest in base64url: 132 bits. */
const KEY_CHARACTERS = 22;

/** What stands for the address of an upstream among processes: it may be long itself. */
export const addressKey = (url: string): string => hash('sha256', url, 'base64url').slice(0, KEY_CHARACTERS);
