import { Body, Controller, Delete, Get, HttpCode, Param, Post, Put, Query } from '@nestjs/common';
import { Allow } from 'class-validator';
import { currentContext } from '../../src/platform/context/request-context';
import { Access, Public } from '../../src/platform/http/access.decorators';
import { NotIdempotent } from '../../src/platform/idempotency/not-idempotent.decorator';

/** What the handlers below have done, and what the next one is to do. */
export const probe = { runs: [] as (string | undefined)[], answer: (): unknown => ({}), hold: Promise.resolve() };

class AnyBody {
  @Allow()
  value?: unknown;
}

/** Writes of every kind, for the tests of idempotency. */
@Controller('writes')
export class WritesController {
  @Post()
  @Access('messages:send')
  async create(@Body() body: AnyBody, @Query('value') value?: string): Promise<unknown> {
    probe.runs.push(currentContext()?.resourceId);
    await probe.hold;
    return { body, value, ...(probe.answer() as object) };
  }

  @Put(':id')
  @Access('messages:send')
  replace(@Param('id') id: string): unknown {
    probe.runs.push(id);
    return { id };
  }

  @Delete(':id')
  @Access('messages:send')
  @HttpCode(204)
  remove(@Param('id') id: string): void {
    probe.runs.push(id);
  }

  @Get()
  @Access('messages:read')
  read(): unknown {
    probe.runs.push('read');
    return {};
  }

  @Post('secret')
  @Access('messages:send')
  @NotIdempotent('it answers a secret')
  secret(): unknown {
    probe.runs.push('secret');
    return {};
  }

  @Post('open')
  @Public('a probe')
  open(): unknown {
    probe.runs.push('open');
    return {};
  }
}
