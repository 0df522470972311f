import { isCommonPassword } from './common-passwords';

describe('isCommonPassword', () => {
  it.each([
    'qwertyuiop',
    'QwertyUiop',
    '1234567890',
    '1234567890!',
    'unbelievable',
    'password1234567',
    'Password2026!',
    'letmein12345',
    'Baseball-2020',
  ])('finds %s', async (password) => {
    expect(await isCommonPassword(password)).toBe(true);
  });

  it.each([
    'Demo-2026-Switchboard',
    'correct horse battery',
    'password of the harbour master',
    'dragon 8842 9913 5520',
    'kV7!pq_29xLm',
    '84 91 37 20 55',
    'пароль для портового крана',
    '----------',
  ])('lets %s be', async (password) => {
    expect(await isCommonPassword(password)).toBe(false);
  });
});
