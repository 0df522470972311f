import type { FastifySchemaValidationError } from 'fastify';

/** Says what is wrong with a body in the words of WAHA's validator, e.g. the list of valid event names. */
export function validationMessages(errors: readonly FastifySchemaValidationError[]): string[] {
  return errors.map(message);
}

function message({ instancePath, keyword, params, message: reason }: FastifySchemaValidationError): string {
  const parts = instancePath.split('/').slice(1);
  const path = parts.join('.');
  switch (keyword) {
    case 'enum':
      return enumMessage(parts, params.allowedValues as unknown[]);
    case 'pattern': {
      const pattern = String(params.pattern);
      return parts.at(-1) === 'url'
        ? `${path} must be a URL address`
        : `${path} must match /${pattern}/ regular expression`;
    }
    case 'maxLength':
      return `${path} must be shorter than or equal to ${String(params.limit)} characters`;
    case 'required':
      return `${[...parts, String(params.missingProperty)].join('.')} should not be null or undefined`;
    default:
      return `${path} ${reason ?? 'is not valid'}`.trim();
  }
}

function enumMessage(parts: readonly string[], allowed: readonly unknown[]): string {
  const values = allowed.join(', ');
  const last = parts.at(-1) ?? '';
  if (!/^\d+$/.test(last)) return `${parts.join('.')} must be one of the following values: ${values}`;
  const owner = parts.slice(0, -2).map((part) => `${part}.`);
  return `${owner.join('')}each value in ${parts.at(-2)} must be one of the following values: ${values}`;
}
