/** What the sealed API key of a server is bound to. */
export const serverKeyContext = (serverId: string): string => `waha-server:${serverId}`;
