/** What is often known already: then it is given as it is, and nobody waits for a promise. */
export type Soon<T> = T | Promise<T>;

/** Does what comes next with the value: at once where it is there, else when it comes. Throws at once, or rejects. */
export const after = <T, R>(value: Soon<T>, next: (value: T) => Soon<R>): Soon<R> =>
  value instanceof Promise ? value.then(next) : next(value);
