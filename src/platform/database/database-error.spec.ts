import { DatabaseError } from 'pg';
import { QueryFailedError } from 'typeorm';
import { isDatabaseFailure, isDataError, isRollback, uniqueViolation } from './database-error';

function ofCode(code: string, constraint?: string): DatabaseError {
  const error = new DatabaseError('said the database', 0, 'error');
  return Object.assign(error, { code, constraint });
}
const ofNetwork = (code: string, syscall: string) => Object.assign(new Error(code), { code, syscall });

describe('isDatabaseFailure', () => {
  it.each(['08006', '53300', '57P01', '57014', '58030', '40P01', '25006'])('is SQLSTATE %s', (code) => {
    expect(isDatabaseFailure(ofCode(code))).toBe(true);
    expect(isDatabaseFailure(new QueryFailedError('select 1', [], ofCode(code)))).toBe(true);
  });

  it.each(['22021', '23505', '42601', '42501'])('is not SQLSTATE %s: that is our fault', (code) => {
    expect(isDatabaseFailure(ofCode(code))).toBe(false);
  });

  it.each([
    ['a refused connection', ofNetwork('ECONNREFUSED', 'connect')],
    ['a reset connection', ofNetwork('ECONNRESET', 'read')],
    ['several refused addresses', new AggregateError([ofNetwork('ECONNREFUSED', 'connect')])],
    ['a cut connection', new Error('Connection terminated unexpectedly')],
    ['no free connection in time', new Error('timeout exceeded when trying to connect')],
    ['no answer in time', new Error('Query read timeout')],
  ])('is %s', (_what, error) => {
    expect(isDatabaseFailure(error)).toBe(true);
  });

  it.each([
    ['any other error', new Error('x')],
    ['a file that is missing', ofNetwork('ENOENT', 'open')],
    ['undefined', undefined],
    ['null', null],
    ['a text', 'connection terminated'],
  ])('is not %s', (_what, error) => {
    expect(isDatabaseFailure(error)).toBe(false);
  });
});

describe('the other questions', () => {
  it('name the unique constraint, in either wrapping, and nothing for any other error', () => {
    expect(uniqueViolation(ofCode('23505', 'users_email_key'))).toBe('users_email_key');
    expect(uniqueViolation(new QueryFailedError('insert', [], ofCode('23505', 'x')))).toBe('x');
    expect([uniqueViolation(ofCode('23503', 'fk')), uniqueViolation(new Error('23505'))]).toEqual([null, null]);
  });

  it('tell a row at fault from a roll-back', () => {
    expect(['22P02', '23502', '40001', '42601'].map((code) => isDataError(ofCode(code)))).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(['40001', '40P01', '23505', '57014'].map((code) => isRollback(ofCode(code)))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});
