import { Matches } from 'class-validator';
import { Optional } from '../../../platform/http/optional.rule';

export class VerifyQuery {
  /** A head noted earlier, as `<seq>:<digest>`: it must still be part of the chain. */
  @Optional()
  @Matches(/^\d{1,15}:[0-9a-f]{64}$/, { message: 'head must be <seq>:<digest>, as an earlier check answered it' })
  head?: string;
}
