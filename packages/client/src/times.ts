// Times that only tests change.

/** In ms. */
export interface Times {
  /** The first event of a stream has to arrive within this time. */
  readonly firstEventMs: number
  /** While it polls, a stream is tried again after this time, then after twice as long, and so on. */
  readonly streamAgainMs: number
  /** A timer that is late by more than this shows that the machine has slept. */
  readonly sleepMs: number
  /** A tab asks the leader for news when it has sent nothing for this time. */
  readonly leaderSilentMs: number
  /** How long each ICE restart of one failure may take. Default: that of negotiator.ts. */
  readonly iceRestartsMs?: readonly number[]
}

export const TIMES: Times = { firstEventMs: 3000, streamAgainMs: 60_000, sleepMs: 5000, leaderSilentMs: 20_000 }
