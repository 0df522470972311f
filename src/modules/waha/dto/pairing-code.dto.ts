import { IsString, Length } from 'class-validator';

export class PairingCodeDto {
  /** The phone's own number with country code, in any common spelling. @example "+44 20 7946 0958" */
  @IsString()
  @Length(1, 64)
  phone_number: string;
}
