import { IsInt, Max, Min } from 'class-validator';
import { SendingConfig } from './sending-config';
import { AsInteger, Variable } from './variable';

/** When a session counts as deaf, and how often sessions are restarted: a part of the configuration. */
export class HealingConfig extends SendingConfig {
  @Variable('Sessions', 'Seconds without an ack or inbound message after which a session that sends counts as deaf')
  @AsInteger()
  @IsInt()
  @Min(1)
  @Max(86_400)
  SESSION_DEAF_AFTER_S: number = 900;

  @Variable('Sessions', 'Messages that must have been sent meanwhile, and not been confirmed, for that')
  @AsInteger()
  @IsInt()
  @Min(1)
  @Max(1_000)
  SESSION_DEAF_MESSAGES: number = 3;

  @Variable('Sessions', 'Restarts in a row of a deaf session, the pause before each twice as long as the last one')
  @AsInteger()
  @IsInt()
  @Min(0)
  @Max(100)
  SESSION_DEAF_RESTARTS: number = 3;

  @Variable('Sessions', 'Milliseconds before the first restart of a failed session; the pause doubles with each')
  @AsInteger()
  @IsInt()
  @Min(10)
  @Max(600_000)
  SESSION_RESTART_PAUSE_MS: number = 5_000;

  @Variable('Sessions', 'The longest of these pauses, in milliseconds')
  @AsInteger()
  @IsInt()
  @Min(10)
  @Max(86_400_000)
  SESSION_RESTART_PAUSE_MAX_MS: number = 600_000;

  @Variable('Sessions', 'Restarts in a row of a failed session before it is parked')
  @AsInteger()
  @IsInt()
  @Min(0)
  @Max(1_000)
  SESSION_RESTARTS: number = 10;

  @Variable('Sessions', 'Restarts that are on their way at once at one WAHA server, over all processes')
  @AsInteger()
  @IsInt()
  @Min(1)
  @Max(100)
  SESSION_RESTARTS_AT_ONCE: number = 5;

  @Variable('Sessions', 'Seconds that a session must be WORKING for its restarts to be forgotten')
  @AsInteger()
  @IsInt()
  @Min(1)
  @Max(86_400)
  SESSION_STABLE_S: number = 300;
}
