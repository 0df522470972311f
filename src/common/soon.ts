/** What is often known already: then it is given as it is, and nobody waits for a promise. */
export type Soon<T> = T | Promise<T>;

/** Whether the value is still to come, of whatever make the promise of it is: a query builder is one, and a promise of another realm. */
export const isToCome = <T>(value: Soon<T>): value is Promise<T> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';

/** Does what comes next with the value: at once where it is there, else when it comes. Throws at once, or rejects. */
export const after = <T, R>(value: Soon<T>, next: (value: T) => Soon<R>): Soon<R> =>
  isToCome(value) ? Promise.resolve(value).then(next) : next(value);
