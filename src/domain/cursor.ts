/** An agent's cursor: up to which revision of its tenant it has the table. Opaque to agents; good for one site of one tenant. */

export interface CursorOwner {
  readonly epoch: string;
  readonly siteId: string;
}

export function formatCursor(owner: CursorOwner, revision: number): string {
  return `${owner.epoch}.${owner.siteId}.${revision}`;
}

/** @returns the revision, or null where the cursor is none of this site's, or of a tenant that was made anew. */
export function readCursor(owner: CursorOwner, cursor: string | null | undefined): number | null {
  const prefix = `${owner.epoch}.${owner.siteId}.`;
  if (cursor === null || cursor === undefined || !cursor.startsWith(prefix)) return null;
  const revision = cursor.slice(prefix.length);
  return /^\d{1,15}$/.test(revision) ? Number(revision) : null;
}
