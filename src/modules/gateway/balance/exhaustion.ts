/** No file descriptor, no port, no memory for one connection more. */
const CODES = new Set(['EMFILE', 'ENFILE', 'EADDRNOTAVAIL', 'ENOBUFS']);

/** Whether a connection did not come about because this machine can open none at the moment, by no fault of the upstream. */
export const isExhaustion = ({ code }: NodeJS.ErrnoException): boolean => code !== undefined && CODES.has(code);
