// Times that only tests change.

/** In ms. */
export interface Times {
  /** The first event of a stream has to arrive within this time. */
  readonly firstMs: number
  /** While it polls, a stream is tried again after this time, then after twice as long, and so on. */
  readonly streamMs: number
  /** A timer that is late by more than this shows that the machine has slept. */
  readonly sleepMs: number
  /** A tab asks the leader for news when it has sent nothing for this time. */
  readonly leaderMs: number
  /** How long each ICE restart of one failure may take. Default: that of negotiator.ts. */
  readonly iceRestartsMs?: readonly number[]
}

export const TIMES: Times = { firstMs: 3000, streamMs: 60_000, sleepMs: 5000, leaderMs: 20_000 }
