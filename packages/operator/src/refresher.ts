// Reads again what a view shows, again and again.

const EVERY_MS = 3000

export class Refresher {
  /** Whether the user of the page wants it to go on. */
  #isOn = true
  #timer: ReturnType<typeof setTimeout> | undefined
  #reading = new AbortController()
  readonly #read: (signal: AbortSignal) => Promise<void>
  readonly #closing = new AbortController()

  /** `read` must not reject. Its signal is aborted when a newer reading begins. */
  constructor(read: (signal: AbortSignal) => Promise<void>) {
    this.#read = read
    const onVisible = () => this.#isDue && void this.now()
    document.addEventListener('visibilitychange', onVisible, { signal: this.#closing.signal })
  }

  get isOn(): boolean {
    return this.#isOn
  }

  set isOn(isOn: boolean) {
    this.#isOn = isOn
    if (isOn) void this.now()
    else clearTimeout(this.#timer)
  }

  /** Reads at once. What an earlier reading brings is out of date, and is dropped. */
  async now(): Promise<void> {
    clearTimeout(this.#timer)
    this.#reading.abort()
    const reading = new AbortController()
    this.#reading = reading
    await this.#read(reading.signal)
    if (reading.signal.aborted || !this.#isOn) return
    this.#timer = setTimeout(() => this.#isDue && void this.now(), EVERY_MS)
  }

  /** A page in the background asks for nothing. */
  get #isDue(): boolean {
    return this.#isOn && !document.hidden && !this.#closing.signal.aborted
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#closing.abort()
    this.#reading.abort()
  }
}
