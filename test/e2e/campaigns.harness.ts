import type { BulkResponse, CampaignWithProgressResponse } from '../../src/modules/campaigns/dto/campaign.response';
import type { ErrorBody } from '../../src/platform/http/error-body';
import type { HttpClient } from '../support/http-client';
import { allPages } from '../support/pages';
import { eventually } from '../support/wait';
import type { Wire, WireMessage } from '../support/whatsapp';

export type WireBulk = Wire<BulkResponse> & ErrorBody;
export type WireCampaign = Wire<CampaignWithProgressResponse>;

/** So many numbers, each another. */
export const phones = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, n) => `55118${String(from + n).padStart(8, '0')}`);

export const bulk = (http: HttpClient, body: object, headers: Record<string, string> = {}) =>
  http.post<WireBulk>('/messages/bulk', body, { headers });

/** A list that is streamed, with the rest in the query. */
export const stream = (http: HttpClient, type: string, text: string, query: Record<string, string>) =>
  http.post<WireBulk>(`/messages/bulk?${new URLSearchParams(query).toString()}`, text, {
    headers: { 'content-type': type },
  });

export const campaign = async (http: HttpClient, id: string | null): Promise<WireCampaign> =>
  (await http.get<WireCampaign>(`/campaigns/${id}`)).body;

/** Waits until the campaign has that status. */
export function campaignIs(http: HttpClient, id: string | null, status: string): Promise<WireCampaign> {
  return eventually(
    async () => {
      const body = await campaign(http, id);
      if (body.status !== status) throw new Error(`it is ${body.status}: ${JSON.stringify(body.progress.counts)}`);
      return body;
    },
    { what: `the campaign to be ${status}`, timeoutMs: 20_000, everyMs: 100 },
  );
}

/** The whole ledger. */
export const ledger = (http: HttpClient, id: string | null): Promise<WireMessage[]> =>
  allPages(http, `/campaigns/${id}/recipients?limit=100`);
