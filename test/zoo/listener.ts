// A client of the zoo as a process, which prints what it receives as lines of JSON.
import assert from 'node:assert/strict'
import type { Test } from 'tap'
import { type Program, run } from '../helpers/child-process.js'
import type { Environment } from '../helpers/test-cluster.js'
import { ZOO, type ZooClient } from './clients.js'

export interface Line {
  readonly event: string
  /** An event without an id may carry the id of the event before. */
  readonly id: string
  /** The envelope. */
  readonly data: { readonly type: string; readonly data: Readonly<Record<string, unknown>> }
  /** When it arrived here, by the clock of `performance`. */
  readonly at: number
}

/** A browser or a JVM starts slowly on a busy machine. A client may wait 4 s before it reconnects, and fail the first time. */
const WITHIN_MS = 60_000

export class Listener {
  version = '?'
  readonly #name: string
  readonly #program: Program
  readonly #events: Line[] = []
  readonly #notes: string[] = []
  #arrived: () => void = () => {}

  /** Runs until the test ends. */
  constructor(t: Test, { name, command, args }: ZooClient, env: Environment) {
    this.#name = name
    this.#program = run(t, command, args, { cwd: ZOO, env, onLine: line => this.#take(line) })
  }

  #take(text: string): void {
    const line = JSON.parse(text)
    if (line.version !== undefined) this.version = line.version
    else if (line.note !== undefined) this.#notes.push(line.note)
    else this.#add({ ...line, at: performance.now() })
    this.#arrived()
  }

  #add(line: Line): void {
    assert.equal(line.data.type, line.event, 'the envelope repeats the event line')
    this.#events.push(line)
  }

  get events(): readonly Line[] {
    return this.#events
  }

  /** What may explain a failure. */
  get notes(): string {
    return [...this.#notes, this.#program.stderr()].join('\n')
  }

  /** The first event from `since` on for which the condition holds. */
  async find(what: string, holds: (line: Line) => boolean, since = 0): Promise<Line> {
    const giveUpAt = Date.now() + WITHIN_MS
    for (let next = since; ; next++) {
      while (next >= this.#events.length) await this.#arrival(giveUpAt, what)
      const line = this.#events[next]
      if (line && holds(line)) return line
    }
  }

  #arrival(giveUpAt: number, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const late = () => reject(new Error(`${this.#name} did not receive ${what}. It printed:\n${this.notes}`))
      const timer = setTimeout(late, giveUpAt - Date.now())
      this.#arrived = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
