import { isIP } from 'node:net';
import { registerDecorator } from 'class-validator';

const isCidr = (text: unknown): boolean => {
  if (typeof text !== 'string') return false;
  const [address = '', bits, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
};

/** A list of addresses or CIDRs, IPv4 or IPv6. */
export function IsCidrList(): PropertyDecorator {
  return (target, propertyName) => {
    registerDecorator({
      name: 'isCidrList',
      target: target.constructor,
      propertyName: String(propertyName),
      validator: {
        validate: (value: unknown) => Array.isArray(value) && value.every(isCidr),
        defaultMessage: () => '$property must be a comma-separated list of CIDRs',
      },
    });
  };
}
