// Whether a destination is up, as one node finds it. After failures of several queues in a row it is paused: only one attempt at a time is made, a probe.
//
//             PAUSE_AFTER queues fail in a row          probeAt passes
//        up ──────────────────────────────▶ paused ───────────────────▶ probing
//         ▲                                    ▲                            │
//         │                                    └── the probe fails ─────────┤
//         └──────────────────────────── an attempt succeeds ────────────────┘

export interface Health {
  /** In a row: of different queues while it is up, of probes while it is paused. */
  readonly failures: number
  /** Null: it is up. */
  readonly probeAt: number | null
  readonly isProbing: boolean
}

export const UP: Health = { failures: 0, probeAt: null, isProbing: false }

const PAUSE_AFTER = 5
const FIRST_PAUSE_MS = 1000
const PAUSE_MAX_MS = 30_000

/** Whether an attempt may be made now. */
export const mayAttempt = ({ probeAt, isProbing }: Health, now: number): boolean =>
  probeAt === null || (!isProbing && now >= probeAt)

/** The attempt that was allowed last has begun. */
export const beginAttempt = (health: Health): Health =>
  health.probeAt === null ? health : { ...health, isProbing: true }

/** Nothing was sent: another attempt may be the probe. */
export const withoutProbe = (health: Health): Health => ({ ...health, isProbing: false })

/** `isProbe`: the attempt began while the destination was paused. Attempts that began before say nothing new. */
export function afterFailure(
  health: Health,
  { isProbe, random }: { isProbe: boolean; random: number },
  now: number
): Health {
  if (health.probeAt !== null && !isProbe) return health
  const failures = health.probeAt === null ? health.failures + 1 : health.failures
  if (failures < PAUSE_AFTER) return { ...UP, failures }
  const pauses = health.probeAt === null ? 0 : failures - PAUSE_AFTER + 1
  const pauseMs = Math.min(PAUSE_MAX_MS, FIRST_PAUSE_MS * 2 ** Math.min(pauses, 30)) * (0.5 + random / 2)
  return { failures: PAUSE_AFTER + pauses, probeAt: now + Math.ceil(pauseMs), isProbing: false }
}
