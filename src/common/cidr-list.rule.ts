import { registerDecorator } from 'class-validator';
import { isCidr } from './cidr';

/** A list of addresses or CIDRs, IPv4 or IPv6. @param spelling how whoever writes it separates them */
export function IsCidrList(spelling: 'list' | 'comma-separated list' = 'list'): PropertyDecorator {
  return (target, propertyName) => {
    registerDecorator({
      name: 'isCidrList',
      target: target.constructor,
      propertyName: String(propertyName),
      validator: {
        validate: (value: unknown) => Array.isArray(value) && value.every(isCidr),
        defaultMessage: () => `$property must be a ${spelling} of CIDRs`,
      },
    });
  };
}
