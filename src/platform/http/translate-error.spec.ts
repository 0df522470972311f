import { BadRequestException, ForbiddenException, HttpException, PayloadTooLargeException } from '@nestjs/common';
import { DatabaseError } from 'pg';
import { AppError } from '../../common/app-error';
import { CommonErrors } from '../../common/common.errors';
import { errorBody } from './error-body';
import { translateError } from './translate-error';

const fastifyError = (code: string, statusCode: number) =>
  Object.assign(new Error('/srv/app/secret.ts'), { code, statusCode, name: 'FastifyError' });

const databaseError = (code: string) => Object.assign(new DatabaseError('secret', 1, 'error'), { code });

describe('translateError', () => {
  it('passes a refusal of ours on as it is', () => {
    const refusal = CommonErrors.notFound('message');
    expect(translateError(refusal)).toBe(refusal);
  });

  it.each([
    [new BadRequestException('select * from users'), 'VALIDATION_FAILED'],
    [new ForbiddenException(), 'FORBIDDEN'],
    [new PayloadTooLargeException(), 'PAYLOAD_TOO_LARGE'],
    [new HttpException('teapot', 418), 'VALIDATION_FAILED'],
    [new HttpException('odd', 599), 'INTERNAL_ERROR'],
    [fastifyError('FST_ERR_CTP_BODY_TOO_LARGE', 413), 'PAYLOAD_TOO_LARGE'],
    [fastifyError('FST_ERR_CTP_INVALID_MEDIA_TYPE', 415), 'UNSUPPORTED_MEDIA_TYPE'],
    [fastifyError('FST_ERR_BAD_URL', 400), 'VALIDATION_FAILED'],
    [fastifyError('FST_ERR_HANDLER_TIMEOUT', 503), 'SERVICE_UNAVAILABLE'],
    [Object.assign(new SyntaxError('Unexpected token'), { statusCode: 400 }), 'VALIDATION_FAILED'],
    [Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED', syscall: 'connect' }), 'DATABASE_ERROR'],
    [databaseError('22008'), 'VALIDATION_FAILED'],
    [databaseError('22007'), 'VALIDATION_FAILED'],
    [databaseError('22P02'), 'VALIDATION_FAILED'],
    [databaseError('42703'), 'INTERNAL_ERROR'],
    [new Error('boom'), 'INTERNAL_ERROR'],
    ['a text that was thrown', 'INTERNAL_ERROR'],
    [undefined, 'INTERNAL_ERROR'],
  ])('tells of %s as %s, with a text of our own', (thrown, code) => {
    const refusal = translateError(thrown);
    expect(refusal).toBeInstanceOf(AppError);
    expect(refusal.code).toBe(code);
    expect(refusal.message).not.toMatch(/secret|select|boom|thrown|Unexpected/);
  });

  it('keeps the cause of an unforeseen error for the log, out of the answer', () => {
    const cause = new Error('boom');
    const refusal = translateError(cause);
    expect(refusal.cause).toBe(cause);
    expect(errorBody(refusal, 'id-12345678')).toEqual({
      error: 'Something went wrong on our side',
      code: 'INTERNAL_ERROR',
      requestId: 'id-12345678',
    });
  });
});
