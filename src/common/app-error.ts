import { ERROR_CODES, type ErrorCode } from './error-codes';

/** One field at fault, by its path in the request (`to`, `pace.per_minute`). */
export interface ErrorDetail {
  field: string;
  message: string;
  /** A product that is short, and how many pieces of it there are. */
  product_id?: string;
  available?: number;
}

/** What a refusal says in figures. */
export interface ErrorFacts {
  /** Pieces in stock. */
  available?: number;
}

interface AppErrorOptions {
  details?: ErrorDetail[];
  /** Response headers that belong to the refusal (`Retry-After`). */
  headers?: Record<string, string>;
  /** Figures for a program, answered beside the code (`available`). */
  facts?: ErrorFacts;
  cause?: unknown;
}

/** A refusal that the caller may see: `message` is safe to show, `code` decides the status. Everything else thrown is a 500. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetail[] | undefined;
  readonly headers: Record<string, string>;
  readonly facts: ErrorFacts;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.details = options.details;
    this.headers = options.headers ?? {};
    this.facts = options.facts ?? {};
  }

  /** HTTP status of the code. */
  get status(): number {
    return ERROR_CODES[this.code].status;
  }
}
