import { ApiPropertyOptional, OmitType } from '@nestjs/swagger';
import { IsString, MaxLength, registerDecorator } from 'class-validator';
import { parseTimeCursor } from '../../common/time-cursor';
import { Optional } from './optional.rule';
import { PageQuery } from './page.query';

const LONGEST_CURSOR = 200;

const IsTimeCursor = (): PropertyDecorator => (target, propertyName) =>
  registerDecorator({
    name: 'isTimeCursor',
    target: target.constructor,
    propertyName: String(propertyName),
    validator: {
      validate: (value: unknown) => typeof value === 'string' && parseTimeCursor(value) !== null,
      defaultMessage: () => '$property must be taken from the Link header of the page before',
    },
  });

const InsteadOfOffset = (): PropertyDecorator => (target, propertyName) =>
  registerDecorator({
    name: 'eitherOffsetOrCursor',
    target: target.constructor,
    propertyName: String(propertyName),
    validator: {
      validate: (_value: unknown, argument) => (argument?.object as TimePageQuery).offset === undefined,
      defaultMessage: () => 'use either offset or cursor',
    },
  });

/** How a list is asked for whose rows go by their time, since their ids do not: customers, orders. */
export class TimePageQuery extends OmitType(PageQuery, ['cursor'] as const) {
  @ApiPropertyOptional({ description: 'Where the page begins, from the Link header of the page before' })
  @Optional()
  @IsString()
  @MaxLength(LONGEST_CURSOR)
  @IsTimeCursor()
  @InsteadOfOffset()
  cursor?: string;
}
