// The media services as this node sees them: their health and load by polling, and a circuit breaker for each. While a service is down, only
// health checks reach it.

import {
  createMediaServiceClient,
  MediaFailure,
  MediaRefusal,
  type MediaServiceClient
} from '../../adapters/media-service.js'
import { hostAndPort } from '../../config.js'
import {
  type HealthChange,
  type HealthReport,
  hasLost,
  recordHealth,
  type ServiceHealth,
  UNKNOWN_HEALTH
} from '../../domain/sfu/service-health.js'
import type { Placement } from '../../domain/sfu/session.js'
import { AppError } from '../../errors.js'
import type { RoomMode } from '../../schemas/room.js'
import { type Context, perContext } from '../context.js'

export interface MediaService {
  /** Host and port. */
  readonly name: string
  readonly client: MediaServiceClient
  readonly health: ServiceHealth
}

export type OnHealthChange = (service: MediaService, change: NonNullable<HealthChange>) => void

/** How much a session that was placed since the last check adds to the load of its service. */
const LOAD_OF_PLACEMENT = 0.01

class WatchedService implements MediaService {
  readonly name: string
  readonly client: MediaServiceClient
  health = UNKNOWN_HEALTH
  /** Sessions that this node has placed since the last check. */
  placed = 0
  readonly #context: Context
  /** Without the breaker. */
  readonly #probe: MediaServiceClient
  readonly #listeners: Set<OnHealthChange>
  #checking: Promise<void> | null = null
  #checkAt = Number.NEGATIVE_INFINITY
  /** Why the last check failed, as it was logged. */
  #reason: string | null = null

  constructor(context: Context, url: string, listeners: Set<OnHealthChange>) {
    const { mediaServiceSecret, mediaServiceTimeoutMs: timeoutMs } = context.config
    this.name = hostAndPort(url)
    this.#context = context
    this.#listeners = listeners
    const options = { url, secret: mediaServiceSecret ?? '', timeoutMs }
    this.#probe = createMediaServiceClient(options)
    this.client = createMediaServiceClient({ ...options, around: send => this.#throughBreaker(send) })
  }

  /** Checks the health unless a check is running or not due yet. */
  checkIfDue(): void {
    if (this.#context.clock.now() >= this.#checkAt) void this.check()
  }

  /** Resolves after the running check, or a new one. */
  check(): Promise<void> {
    this.#checking ??= this.#checkOnce().finally(() => {
      this.#checking = null
    })
    return this.#checking
  }

  async #checkOnce(): Promise<void> {
    const { clock, config, log } = this.#context
    const failedSince = clock.now()
    try {
      const { instance, load } = await this.#probe.health()
      this.placed = 0
      this.#reason = null
      this.#record({ of: 'check', instance, load })
    } catch (error) {
      log.debug({ err: error, service: this.name }, 'the health check of a media service failed')
      this.#record({ of: 'check', failedSince })
      this.#logReason(error)
    }
    // A first failure is confirmed or refuted soon.
    const isDoubtful = this.health.failedChecks > 0 && this.health.status !== 'down'
    this.#checkAt = clock.now() + config.mediaHealthIntervalMs / (isDoubtful ? 4 : 1)
  }

  /** Once for each reason in a row: a service that is down is checked every MEDIA_HEALTH_INTERVAL_MS. */
  #logReason(error: unknown): void {
    const { cause, message } = error as Error
    const reason = cause instanceof Error ? cause.message : message
    if (this.health.status !== 'down' || reason === this.#reason) return
    this.#reason = reason
    this.#context.log.warn({ service: this.name, reason }, 'the health checks of a media service fail')
  }

  async #throughBreaker<T>(send: () => Promise<T>): Promise<T> {
    const { mediaRequests } = this.#context.metrics
    if (this.health.status === 'down') {
      mediaRequests.inc({ outcome: 'not_sent' })
      throw new MediaFailure(`the media service ${this.name} is down`)
    }
    try {
      const reply = await send()
      this.#record({ of: 'request', failed: false })
      mediaRequests.inc({ outcome: 'ok' })
      return reply
    } catch (error) {
      const failed = !(error instanceof MediaRefusal)
      this.#record({ of: 'request', failed })
      mediaRequests.inc({ outcome: failed ? 'failed' : 'refused' })
      // The failure of a request is a reason to check now.
      if (failed) this.#checkAt = Number.NEGATIVE_INFINITY
      if (failed) this.#context.log.warn({ err: error, service: this.name }, 'a request to a media service failed')
      throw error
    }
  }

  #record(report: HealthReport): void {
    const { clock, log, metrics } = this.#context
    const { after, change } = recordHealth(this.health, report, clock.now())
    this.health = after
    metrics.mediaServiceUp.set({ service: this.name }, after.status === 'up' ? 1 : 0)
    if (change === null) return
    log.warn({ service: this.name, instance: after.instance, status: after.status }, `media service ${change}`)
    for (const listener of this.#listeners) listener(this, change)
  }
}

/** Until a client should ask again. */
const RETRY_AFTER_MS = 1000

export const mediaUnavailable = (cause?: unknown): AppError =>
  new AppError('media_unavailable', { retryAfterMs: RETRY_AFTER_MS, cause })

/** @throws AppError no_media_service */
export function requireMediaService({ config }: Context, mode: RoomMode | undefined): void {
  if (mode === 'sfu' && config.mediaServiceUrls.length === 0) throw new AppError('no_media_service')
}

/**
 * Which services are checked before one is chosen, besides those that have failed lately and those that were never checked. `if_none_up`: those
 * that are down, because one may have come back since the last check. `confirm`: those that are up, because another service has just failed,
 * or another node has found them down.
 */
export type CheckBefore = 'if_none_up' | 'confirm'

interface Choice {
  /** Services that have failed. */
  readonly except?: ReadonlySet<string> | undefined
  readonly check?: CheckBefore | undefined
}

export interface MediaServices {
  /** Null: the service is not configured any more. */
  find(name: string): MediaService | null
  /**
   * The service with the least load, of those that are up. One that has failed lately, or was never checked, is checked first. Null: there is
   * none.
   */
  choose(choice?: Choice): Promise<MediaService | null>
  isAnyUp(): boolean
  /** Null: the session is lost, because its service is down or not configured any more. @throws AppError media_unavailable */
  serviceOf(session: Placement): Promise<MediaService | null>
  list(): readonly MediaService[]
  /** Starts the checks that are due. */
  check(): void
  onChange(listener: OnHealthChange): () => void
}

const servicesOf = perContext(() => ({ current: null as MediaServices | null }))

export function mediaServicesOf(context: Context): MediaServices {
  const holder = servicesOf(context)
  holder.current ??= createMediaServices(context)
  return holder.current
}

function createMediaServices(context: Context): MediaServices {
  const listeners = new Set<OnHealthChange>()
  const services = context.config.mediaServiceUrls.map(url => new WatchedService(context, url, listeners))
  const find = (name: string) => services.find(each => each.name === name) ?? null

  const isUp = ({ health }: MediaService) => health.status === 'up'

  return {
    find,
    isAnyUp: () => services.some(isUp),
    async choose({ except, check } = {}) {
      const allowed = services.filter(({ name }) => !except?.has(name))
      const reliable = allowed.filter(({ health }) => isReliable(health))
      if (reliable.length > 0 && check !== 'confirm') return placeOnLeastLoaded(reliable)
      const doubtful = check === 'if_none_up' ? allowed : allowed.filter(({ health }) => health.status !== 'down')
      await Promise.all(doubtful.map(each => each.check()))
      return placeOnLeastLoaded(doubtful.filter(({ health }) => health.status === 'up' && health.failedChecks === 0))
    },
    async serviceOf(session) {
      const service = find(session.service)
      if (service === null) return null
      // The first one may have been running, and may have been started before the service came back.
      for (let i = 0; i < 2 && service.health.status === 'down' && !hasLost(service.health, session); i++) {
        await service.check()
      }
      if (hasLost(service.health, session)) return null
      if (service.health.status === 'down') throw mediaUnavailable()
      return service
    },
    list: () => services,
    check: () => {
      for (const service of services) service.checkIfDue()
    },
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    }
  }
}

const isReliable = ({ status, failedChecks, failedRequests }: ServiceHealth) =>
  status === 'up' && failedChecks === 0 && failedRequests === 0

function placeOnLeastLoaded(services: readonly WatchedService[]): WatchedService | null {
  const loadOf = ({ health, placed }: WatchedService) => health.load + placed * LOAD_OF_PLACEMENT
  const [first] = [...services].sort((a, b) => loadOf(a) - loadOf(b))
  if (first === undefined) return null
  first.placed++
  return first
}
