import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { applyDecorators } from '@nestjs/common';
import { Type } from 'class-transformer';
import { IsObject, IsOptional, ValidateNested } from 'class-validator';
import { Id } from '../../../platform/http/id.rule';
import { Optional } from '../../../platform/http/optional.rule';
import { ORDER_MESSAGES, type OrderMessage, type OrderMessageSettings } from '../order-message-settings';

/** By which template, and from which session, a customer is told. */
export class OrderMessageDto {
  /** One of the tenant’s. Its variables may be `customer_name`, `order_id`, `total`, `currency`, `status` and `items`. */
  @Id()
  template_id: string;

  /** One of the tenant’s; where it is not given: the tenant’s only one. */
  @Optional()
  @Id()
  @ApiPropertyOptional({ type: String, format: 'uuid' })
  session_id?: string;
}

const Message = (): PropertyDecorator =>
  applyDecorators(
    ApiPropertyOptional({ type: OrderMessageDto, nullable: true, description: '`null`: nothing is sent' }),
    IsOptional(),
    IsObject(),
    ValidateNested(),
    Type(() => OrderMessageDto),
  );

/** What customers are told on WhatsApp when their orders change; what is not named stays as it is. */
export class OrderMessagesDto {
  @Message()
  confirmation?: OrderMessageDto | null;

  @Message()
  completion?: OrderMessageDto | null;

  @Message()
  cancellation?: OrderMessageDto | null;
}

class OrderMessageSettingResponse {
  @ApiProperty({ type: String, format: 'uuid' })
  template_id: string;

  @ApiProperty({ type: String, format: 'uuid', nullable: true })
  session_id: string | null;
}

/** What customers are told when their orders change; `null`: nothing. */
export class OrderMessagesResponse {
  @ApiProperty({ type: OrderMessageSettingResponse, nullable: true })
  confirmation: OrderMessageSettingResponse | null;

  @ApiProperty({ type: OrderMessageSettingResponse, nullable: true })
  completion: OrderMessageSettingResponse | null;

  @ApiProperty({ type: OrderMessageSettingResponse, nullable: true })
  cancellation: OrderMessageSettingResponse | null;
}

/** What the body names of the messages, and nothing else. */
export const orderMessagesChangeOf = (dto: OrderMessagesDto): Partial<OrderMessageSettings> =>
  Object.fromEntries(
    ORDER_MESSAGES.flatMap((name) => {
      const message = dto[name];
      return message === undefined ? [] : [[name, message && settingOf(message)]];
    }),
  );

const settingOf = ({ template_id, session_id }: OrderMessageDto): OrderMessage => ({
  template_id,
  session_id: session_id ?? null,
});

/** Lists each message. */
export const orderMessagesResponse = (settings: OrderMessageSettings): OrderMessagesResponse => ({
  confirmation: messageResponse(settings.confirmation),
  completion: messageResponse(settings.completion),
  cancellation: messageResponse(settings.cancellation),
});

const messageResponse = (message: OrderMessage | null): OrderMessageSettingResponse | null =>
  message && { template_id: message.template_id, session_id: message.session_id };
