import { AppError } from '../../common/app-error';
import { clientCredentials } from './client-credentials';

const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`;
const refusalOf = (...asked: Parameters<typeof clientCredentials>): string => {
  try {
    clientCredentials(...asked);
    return 'none';
  } catch (error) {
    return error instanceof AppError ? error.code : String(error);
  }
};

describe('the credentials of a client', () => {
  it('come from the body or from HTTP Basic, decoded as forms are', () => {
    expect(clientCredentials(undefined, { client_id: 'a', client_secret: 'b' })).toEqual({ id: 'a', secret: 'b' });
    expect(clientCredentials(basic('a%3Ab:c+d%25'), {})).toEqual({ id: 'a:b', secret: 'c d%' });
    expect(clientCredentials(basic('a:b').replace('Basic', 'bASIC'), { client_id: 'a' })).toEqual({
      id: 'a',
      secret: 'b',
    });
  });

  it('must not come twice, nor by half', () => {
    expect(refusalOf(basic('a:b'), { client_secret: 'b' })).toBe('VALIDATION_FAILED');
    expect(refusalOf(basic('a:b'), { client_id: 'c' })).toBe('VALIDATION_FAILED');
    expect(refusalOf(undefined, { client_id: 'a' })).toBe('VALIDATION_FAILED');
    expect(refusalOf(undefined, {})).toBe('VALIDATION_FAILED');
  });

  it.each(['Basic', 'Basic !', basic('a'), basic('a:'), basic(':b'), basic('a:b:c'), basic('a:%zz'), 'Bearer x'])(
    'are wrong as "%s"',
    (authorization) => {
      expect(refusalOf(authorization, {})).toBe('AUTHENTICATION_FAILED');
    },
  );
});
