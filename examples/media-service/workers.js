// The mediasoup workers: one process for each core. A worker that dies is replaced.
import { EventEmitter, once } from 'node:events'
import * as mediasoup from 'mediasoup'

const SAMPLE_MS = 1000
/** A worker that leaves one sample unanswered for this many more is killed: it hangs. */
const HANGS_AFTER_SAMPLES = 5
const RESTART_MIN_MS = 100
const RESTART_MAX_MS = 5000
/** How long a new session waits for a worker that restarts. Less than the default of MEDIA_SERVICE_TIMEOUT_MS in Signalpost. */
const WORKER_WITHIN_MS = 1500

/** A running worker. `cpu`: the share of a core that it used in the last second. */
export class Slot {
  constructor(index) {
    this.index = index
    /** @type {import('mediasoup').types.Worker | null} */
    this.worker = null
    this.webRtcServer = null
    this.cpu = 0
    this.sessions = 0
    this.restartMs = RESTART_MIN_MS
    /** @type {{usedMs: number, at: number} | null} */
    this.lastUsage = null
    this.isSampling = false
    /** Samples that were due while an earlier one was not answered. */
    this.missedSamples = 0
  }
}

export class Workers {
  #slots
  #settings
  #log
  #onDied
  #sampler
  #restarts = new Set()
  #events = new EventEmitter()
  /** When the last worker died. */
  #diedAt = Number.NEGATIVE_INFINITY
  #isClosed = false

  /** @param {import('./settings.js').Settings} settings @param onDied called with the slot whose worker died */
  constructor(settings, { log, onDied }) {
    this.#settings = settings
    this.#log = log
    this.#onDied = onDied
    this.#slots = Array.from({ length: settings.workers }, (_, index) => new Slot(index))
  }

  async start() {
    await Promise.all(this.#slots.map(slot => this.#run(slot)))
    this.#sampler = setInterval(() => this.#sample(), SAMPLE_MS)
  }

  close() {
    this.#isClosed = true
    clearInterval(this.#sampler)
    for (const restart of this.#restarts) clearTimeout(restart)
    for (const { worker } of this.#slots) worker?.close()
  }

  /** A restart takes a fraction of a second: that is no reason to move rooms to another service. */
  get areHealthy() {
    return this.#slots.some(({ worker }) => worker) || performance.now() - this.#diedAt < WORKER_WITHIN_MS
  }

  /** 0 to 1: the CPU that the workers use, of what they could use. */
  get load() {
    const used = this.#slots.reduce((sum, { worker, cpu }) => sum + (worker ? cpu : 1), 0)
    return Math.min(1, Math.round((used / this.#slots.length) * 1000) / 1000)
  }

  /**
   * The worker for a new session: the one that uses the least CPU, in steps of a tenth of a core; among these the one with the fewest
   * sessions. Resolves to undefined if none runs in time.
   */
  async leastLoaded() {
    const cost = ({ cpu, sessions }) => Math.round(cpu * 10) * 1e6 + sessions
    const running = () => this.#slots.filter(({ worker }) => worker)
    if (running().length === 0)
      await once(this.#events, 'running', { signal: AbortSignal.timeout(WORKER_WITHIN_MS) }).catch(() => {})
    return running().sort((one, other) => cost(one) - cost(other))[0]
  }

  async #run(slot) {
    const { ports, logLevel } = this.#settings
    const worker = await mediasoup.createWorker({
      logLevel: logLevel === 'debug' ? 'warn' : 'error',
      rtcMinPort: ports.min,
      rtcMaxPort: ports.max
    })
    if (this.#isClosed) return worker.close()
    worker.on('died', error => this.#died(slot, error))
    slot.webRtcServer = await this.#listen(worker, slot.index)
    slot.worker = worker
    slot.lastUsage = null
    slot.isSampling = false
    slot.missedSamples = 0
    slot.cpu = 0
    this.#events.emit('running')
    this.#log.info({ worker: worker.pid }, 'a media worker runs')
  }

  /** All transports of a worker share one port, if mediasoup has WebRtcServer (3.10 and later); otherwise each takes ports of the range. */
  async #listen(worker, index) {
    if (!worker.createWebRtcServer) return null
    const { listenIp: ip, announcedAddress, ports } = this.#settings
    const port = ports.min + index
    const listenInfos = ['udp', 'tcp'].map(protocol => ({
      protocol,
      ip,
      port,
      ...(announcedAddress && { announcedAddress })
    }))
    return worker.createWebRtcServer({ listenInfos })
  }

  #died(slot, error) {
    this.#log.error({ err: error }, 'a media worker died')
    this.#diedAt = performance.now()
    slot.worker = null
    slot.webRtcServer = null
    slot.sessions = 0
    if (this.#isClosed) return
    this.#onDied(slot)
    this.#restart(slot)
  }

  #restart(slot) {
    const startedAt = Date.now()
    const timer = setTimeout(async () => {
      this.#restarts.delete(timer)
      try {
        await this.#run(slot)
        slot.restartMs = RESTART_MIN_MS
      } catch (error) {
        this.#log.error({ err: error, afterMs: Date.now() - startedAt }, 'a media worker does not start')
        slot.restartMs = Math.min(slot.restartMs * 2, RESTART_MAX_MS)
        if (!this.#isClosed) this.#restart(slot)
      }
    }, slot.restartMs)
    this.#restarts.add(timer)
  }

  #sample() {
    for (const slot of this.#slots) {
      if (!slot.worker) continue
      if (!slot.isSampling) void this.#measure(slot)
      else if (++slot.missedSamples === HANGS_AFTER_SAMPLES) this.#killHanging(slot.worker)
    }
  }

  async #measure(slot) {
    slot.isSampling = true
    slot.missedSamples = 0
    try {
      const { ru_utime, ru_stime } = await slot.worker.getResourceUsage()
      const now = { usedMs: ru_utime + ru_stime, at: performance.now() }
      if (slot.lastUsage) slot.cpu = (now.usedMs - slot.lastUsage.usedMs) / (now.at - slot.lastUsage.at)
      slot.lastUsage = now
    } catch {
      // The worker died meanwhile; `died` follows.
    }
    slot.isSampling = false
  }

  /** `died` follows. Without it Signalpost keeps the rooms here: other requests to this service succeed. */
  #killHanging({ pid }) {
    this.#log.error({ worker: pid }, 'a media worker hangs and is killed')
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has just ended.
    }
  }
}
