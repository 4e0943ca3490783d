// A story on a stage: people with devices at the nodes of a house. When it is over nothing of it is left open, and what
// everybody heard is held against their mailboxes.
import t, { type Test } from 'tap'
import type { RoomClaims } from '../../src/schemas/claims.js'
import type { Store } from '../../src/store/store.js'
import { Person, type World } from './test-client.js'
import { type Environment, FLOW_SETTINGS, House, sharedHouse } from './test-cluster.js'
import { until } from './until.js'

export type Story = (t: Test, stage: Stage) => Promise<void>

interface FlowOptions {
  readonly env?: Environment
  /** It closes nodes: it gets a house of its own. */
  readonly alone?: boolean
}

/** Tells the story on every setting of FLOW_SETTINGS. */
export function flow(name: string, story: Story, { env = {}, alone = false }: FlowOptions = {}): void {
  t.test(name, async t => {
    for (const setting of FLOW_SETTINGS) {
      await t.test(setting.name, async t => {
        const house = await (alone ? House.open(setting, env) : sharedHouse(setting, env))
        const stage = new Stage(house)
        try {
          await story(t, stage)
          await stage.holdMailboxes(t)
        } finally {
          await stage.clear()
          if (alone) await house.close()
        }
      })
    }
  })
}

interface Entrance {
  readonly node?: number
  readonly silent?: boolean
  /** What their token says of rooms. */
  readonly rooms?: RoomClaims
}

let stories = 0

export class Stage implements World {
  readonly house: House
  readonly #people: Person[] = []
  /** Names belong to their story: its alice, its call `c1`. On the wire they end with this. */
  readonly #mark = `~${++stories}`

  constructor(house: House) {
    this.house = house
  }

  get config() {
    return this.house.config
  }

  urlOf(node: number): string {
    return this.house.urlOf(node)
  }

  get store(): Store {
    return this.house.store
  }

  get far(): number {
    return this.house.far
  }

  now(): number {
    return this.house.clock.now()
  }

  pass(ms: number): Promise<void> {
    return this.house.pass(ms)
  }

  during<T>(work: Promise<T>): Promise<T> {
    return this.house.during(work)
  }

  /** A name as it is on the wire. */
  marked(name: string): string {
    return `${name}${this.#mark}`
  }

  /** What came over the wire, with the names of the story. */
  unmarked<T>(value: T): T {
    return JSON.parse(JSON.stringify(value).replaceAll(`${this.#mark}"`, '"'))
  }

  /** Somebody with a device, at a node; their stream is open unless they are `silent`. */
  async enter(user: string, device: string, { node = 0, silent = false, rooms }: Entrance = {}): Promise<Person> {
    const person = await Person.make(this, { user, device, node, rooms })
    this.#people.push(person)
    if (!silent) await person.listens()
    return person
  }

  /** Alice with her phone at the first node, bob with his laptop at the last. */
  async enterBoth(): Promise<[alice: Person, bob: Person]> {
    return [await this.enter('alice', 'phone'), await this.enter('bob', 'laptop', { node: this.far })]
  }

  async holdMailboxes(t: Test): Promise<void> {
    await this.house.rest()
    for (const person of this.#people) await person.holdMailbox(t)
  }

  /** The nodes have seen who left: so many streams are open, and presence says so. */
  async hasStreams(count: number): Promise<void> {
    await until(`${count} streams are open`, () => this.house.openStreams() === count)
    await this.house.rest()
  }

  async clear(): Promise<void> {
    for (const person of this.#people) await person.leaves()
    await this.hasStreams(0)
  }
}
