/** Statements on API keys that cross tenants. */
export const KEY_STATEMENTS = {
  apiKeyByHash: {
    reason: 'A request brings an API key and names no tenant: which one it is, is the question.',
    // A bitmap of the two indexes. What it finds may be used until `until`, which is the end of the key or of its former secret.
    text: `select k.tenant_id, k.id, k.prefix, k.role, k.scopes, k.requests_per_minute, k.allowed_cidrs,
        least(k.expires_at, case when k.key_hash <> $1 then k.previous_until end) as until,
        t.status = 'suspended' as suspended
      from api_keys k join tenants t on t.id = k.tenant_id
      where (k.key_hash = $1 or (k.previous_hash = $1 and k.previous_until > now()))
        and k.revoked_at is null and (k.expires_at is null or k.expires_at > now()) and t.status in ('active', 'suspended')`,
  },
  noteKeysUsed: {
    reason: 'The keys of every tenant that this process saw in use, written together so that no request pays for it.',
    text: `update api_keys k set last_used_at = u.at
      from unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) as u (tenant_id, id, at)
      where k.tenant_id = u.tenant_id and k.id = u.id and (k.last_used_at is null or k.last_used_at < u.at)`,
  },
} as const;
