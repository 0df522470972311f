import { IsInt, Max, Min } from 'class-validator';
import { AsInteger, Variable } from './variable';

/** What holds for sends alone: a part of the configuration. */
export class SendingConfig {
  @Variable(
    'Sending',
    'Milliseconds that the call which sends a file may take: in it WAHA fetches the file, may convert it, and uploads it',
  )
  @AsInteger()
  @IsInt()
  @Min(100)
  @Max(600_000) // the address under which WAHA fetches it holds ten minutes
  WAHA_FILE_TIMEOUT_MS: number = 180_000;
}
