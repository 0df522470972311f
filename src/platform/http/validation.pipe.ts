import { type ArgumentMetadata, Injectable, ValidationPipe } from '@nestjs/common';
import { CommonErrors } from '../../common/common.errors';
import { freePropertiesOf } from './free-object.rule';
import { inheritedNames } from './inherited-names';
import { rememberRules } from './known-rules';
import { withAmounts } from './money.rule';
import { unstorableField } from './storable-body';
import { validationDetails } from './validation-details';

/** Past this many the answer would only grow with the attack. */
const MAX_DETAILS = 100;

/**
 * Validates every body and query against its class: unknown fields are refused and named, nothing is converted that a
 * property does not convert itself (`@WholeNumber()` on query numbers). A body that is not a JSON object where one is
 * asked for is refused, and so are texts and numbers that cannot be stored as they are.
 */
@Injectable()
export class ApiValidationPipe extends ValidationPipe {
  constructor() {
    super({
      whitelist: true,
      forbidNonWhitelisted: true,
      transform: true,
      forbidUnknownValues: false,
      validationError: { target: false, value: true },
      exceptionFactory: (errors) => CommonErrors.validation(validationDetails(errors).slice(0, MAX_DETAILS)),
    });
    rememberRules();
  }

  /** The argument as an instance of its class. @throws VALIDATION_FAILED that names each field at fault */
  override transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    // Given back as it is, which Nest allows and its type does not say: nearly every handler has a caller and an id.
    if (hasNoRules(value, metadata)) return value as Promise<unknown>;
    return this.validated(value, metadata);
  }

  private async validated(given: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    const { type, metatype } = metadata;
    let value = given;
    if (metatype && this.toValidate(metadata)) {
      if (type === 'body' && isNoObject(value)) throw CommonErrors.validation([], 'The body must be a JSON object');
      if (type === 'body' && typeof value === 'object' && value !== null) value = withAmounts(value, metatype);
      const unstorable = unstorableField(value);
      if (unstorable) throw CommonErrors.validation([unstorable]);
      const strangers = inheritedNames(value, freePropertiesOf(metatype));
      if (strangers.length > 0) throw CommonErrors.validation(strangers.slice(0, MAX_DETAILS));
    }
    return super.transform(value, metadata) as Promise<unknown>;
  }

  /**
   * Nest would delete such keys from the request unseen, in free objects too. Here they are refused where a class says what
   * fields there are; the JSON parser refuses those that reach a prototype; the others are a client's own data.
   */
  protected override stripProtoKeys(): void {}
}

/** What a decorator of ours made, or a text of the address. */
const hasNoRules = (value: unknown, { type, metatype }: ArgumentMetadata): boolean =>
  type === 'custom' || (type === 'param' && metatype === String && typeof value === 'string');

const isNoObject = (value: unknown): boolean =>
  value !== undefined && value !== null && (typeof value !== 'object' || Array.isArray(value));
