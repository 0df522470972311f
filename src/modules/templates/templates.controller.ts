import { Body, Controller, Delete, Get, HttpCode, Patch, Post, Query, Res } from '@nestjs/common';
import { ApiConflictResponse, ApiCreatedResponse, ApiNoContentResponse, ApiOkResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import type { Actor } from '../../common/actor';
import { Access, CurrentActor } from '../../platform/http/access.decorators';
import { ChangesVersioned, type ExpectedVersions, IfMatch, versioned } from '../../platform/http/etag';
import { IdParam } from '../../platform/http/id-param';
import { sendPage } from '../../platform/http/page-headers';
import { ListTemplatesQuery } from './dto/list-templates.query';
import { CreateTemplateDto, UpdateTemplateDto } from './dto/template.dto';
import { TemplateResponse, templateResponse } from './dto/template.response';
import { TemplatesService } from './templates.service';

const CHANGED = 'the template was changed since';
const TAKEN = { description: '`TEMPLATE_NAME_TAKEN`, or `IDEMPOTENCY_IN_PROGRESS`' };

/** Named texts with variables. */
@ApiTags('Templates')
@Controller('templates')
export class TemplatesController {
  constructor(private readonly templates: TemplatesService) {}

  /** Makes a template. Variables are `{{name}}`, of letters, digits and `_`; anything else after `{{` is refused. */
  @Post()
  @Access('templates:manage')
  @ApiCreatedResponse({ type: TemplateResponse })
  @ApiConflictResponse(TAKEN)
  async create(
    @CurrentActor() actor: Actor,
    @Body() { name, language, text, media }: CreateTemplateDto,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TemplateResponse> {
    return templateResponse(
      versioned(reply, await this.templates.create(actor, { name, language, body: text, media: media ?? null })),
    );
  }

  /** The tenant's templates, newest first. */
  @Get()
  @Access('templates:read')
  @ApiOkResponse({ type: [TemplateResponse] })
  async list(
    @CurrentActor() actor: Actor,
    @Query() query: ListTemplatesQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TemplateResponse[]> {
    return sendPage(reply, await this.templates.list(actor, query, query), query).map(templateResponse);
  }

  /** One template. */
  @Get(':id')
  @Access('templates:read')
  @ApiOkResponse({ type: TemplateResponse })
  async get(
    @CurrentActor() actor: Actor,
    @IdParam() id: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TemplateResponse> {
    return templateResponse(versioned(reply, await this.templates.get(actor, id)));
  }

  /** Changes what is named. Messages that were accepted before keep their text. */
  @Patch(':id')
  @Access('templates:manage')
  @ChangesVersioned(CHANGED)
  @ApiOkResponse({ type: TemplateResponse })
  @ApiConflictResponse(TAKEN)
  async update(
    @CurrentActor() actor: Actor,
    @IdParam() id: string,
    @Body() { name, language, text, media }: UpdateTemplateDto,
    @IfMatch() expected: ExpectedVersions,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<TemplateResponse> {
    return templateResponse(
      versioned(reply, await this.templates.update(actor, id, { name, language, body: text, media }, expected)),
    );
  }

  /** Removes the template. Messages that were accepted before are sent all the same. */
  @Delete(':id')
  @HttpCode(204)
  @Access('templates:manage')
  @ChangesVersioned(CHANGED)
  @ApiNoContentResponse()
  async delete(
    @CurrentActor() actor: Actor,
    @IdParam() id: string,
    @IfMatch() expected: ExpectedVersions,
  ): Promise<void> {
    await this.templates.remove(actor, id, expected);
  }
}
