import { type ArgumentMetadata, Injectable, ValidationPipe } from '@nestjs/common';
import { CommonErrors } from '../../common/common.errors';
import { unstorableField } from './storable-body';
import { validationDetails } from './validation-details';

/** Past this many the answer would only grow with the attack. */
const MAX_DETAILS = 100;

/**
 * Validates every body and query against its class: unknown fields are refused and named, nothing is converted that a
 * property does not convert itself (`@Type(() => Number)` on query numbers). A body that is not a JSON object where one is
 * asked for is refused, and so is text that cannot be stored as it is.
 */
@Injectable()
export class ApiValidationPipe extends ValidationPipe {
  constructor() {
    super({
      whitelist: true,
      forbidNonWhitelisted: true,
      transform: true,
      forbidUnknownValues: false,
      validationError: { target: false, value: false },
      exceptionFactory: (errors) => CommonErrors.validation(validationDetails(errors).slice(0, MAX_DETAILS)),
    });
  }

  /** The argument as an instance of its class. @throws VALIDATION_FAILED that names each field at fault */
  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    if (metadata.type === 'body' && this.toValidate(metadata) && isNoObject(value))
      throw CommonErrors.validation([], 'The body must be a JSON object');
    const unstorable = this.toValidate(metadata) ? unstorableField(value) : null;
    if (unstorable) throw CommonErrors.validation([unstorable]);
    return super.transform(value, metadata) as Promise<unknown>;
  }
}

const isNoObject = (value: unknown): boolean =>
  value !== undefined && value !== null && (typeof value !== 'object' || Array.isArray(value));
