/** Whose phone a session is paired with. */
export interface Me {
  id: string;
  pushName: string;
  lid: string;
}
