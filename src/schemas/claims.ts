// Who is asking: what a verified token or ticket says, after it has been checked against the contract's id pattern.

export interface Actor {
  /** The token's `sub`. */
  readonly user: string
  /** The claim `device`, or the X-Device-Id header, or the `device` query parameter on event routes, or `default`. */
  readonly device: string
  /** When the token expires, milliseconds since the epoch; 0 when it never does. */
  readonly expiresAt: number
}
