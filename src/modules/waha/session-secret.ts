/** What a session's webhook secret is sealed for: it opens for no other session. */
export const secretContext = (sessionId: string): string => `waha-session:${sessionId}`;
