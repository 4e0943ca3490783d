// Part of the port in store.ts: which tokens are refused although they are valid. Each node has all revocations in memory, so that the check of
// a request waits for nothing. The general promises of store.ts hold.
/** Refuses the tokens of a user that were issued at or before an instant. */
export interface Revocation {
  readonly user: string
  /** Null: the tokens of every device of the user. */
  readonly device: string | null
  /** In milliseconds since the epoch. A token without `iat` is refused as well. */
  readonly issuedAfter: number
  /** What set `issuedAfter`: a sign-out, or a rule of the operator. */
  readonly kind: 'sign_out' | 'tokens'
  /** When it was last changed. */
  readonly at: number
  readonly expiresAt: number
}

/** More than JWT_LEEWAY_MS can be: no token is ahead for longer. */
export const ISSUER_LEAD_TTL_MS = 3_600_000

/** What a token, ticket or stream says of itself. */
export interface IssuedToken {
  readonly user: string
  /** Null: of no device, such as a token of an operator. */
  readonly device: string | null
  /** Null or undefined: it does not say. */
  readonly issuedAt?: number | null
}

export interface Revocations {
  /**
   * Revokes, on this node at once, on each other node within a second after it can read the store. A revocation that refuses more tokens stays as
   * it is, except that it expires later. Resolves to the one in force; null, and nothing is written: there are `max` others.
   */
  put(revocation: Revocation, options: { readonly max: number }): Promise<Revocation | null>
  /** Accepts the tokens again. False: there was none. */
  remove(user: string, device: string | null, now: number): Promise<boolean>
  /**
   * The revocation that refuses the token, a sign-out first; null: none does. Synchronous: one map look-up, and a second one if its user
   * has a revocation. @throws AppError store_unavailable until this node has read the revocations for the first time
   */
  revocationOf(token: IssuedToken): Revocation | null
  /** The revocations of the user in force, as this node knows them; that of all devices first. */
  list(user: string): readonly Revocation[]
  /** How many this node keeps, with those that were removed and have not expired. */
  size(): number
  /** Remembers for ISSUER_LEAD_TTL_MS, for all nodes, that a clock of an issuer is ahead. @param leadMs of few different values */
  noteIssuerLead(leadMs: number): Promise<void>
  /** The largest lead that any node has noted and that is not forgotten; 0: none. */
  issuerLeadMs(): Promise<number>
  /** Called when this node learns of a revocation that refuses more tokens of the user than before. The returned function ends it. */
  onRevoked(listen: (user: string) => void): () => void
}
