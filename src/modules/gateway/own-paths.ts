/** What the gateway answers itself on its own port (paths, or targets with a query): every other path there is the tenants'. */
export const OWN_PATHS = /^\/(?:health|ready|metrics)(?:\?|$)/;
