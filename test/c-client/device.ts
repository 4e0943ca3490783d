// The C client as a process: packages/c-client/test/driver.c, which takes commands and prints what it receives.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Test } from 'tap'
import { guard } from '../helpers/child-process.js'
import { Client } from '../helpers/client.js'
import { startServers, tokenOf } from '../helpers/servers.js'
import { WireProxy } from './wire-proxy.js'

/** Not the folder of the compiled tests. */
export const FOLDER = join(process.cwd(), 'packages/c-client')

/** Builds a target of the Makefile and returns its path. The output of the compiler is shown if it fails. */
export function make(target: string, ...options: string[]): string {
  execFileSync('make', ['-s', '-C', FOLDER, target, ...options], { stdio: ['ignore', 'ignore', 'inherit'] })
  return join(FOLDER, target)
}

export interface Value {
  readonly type: string
  readonly path: string
  readonly kind: string
  readonly text: string
  readonly first: boolean
  readonly last: boolean
}

export interface DeviceEvent {
  readonly type: string
  readonly whole: boolean
  readonly values: readonly Value[]
  /** Of a path: the text, put together from its pieces. */
  text(path: string): string
}

export interface Outcome {
  readonly result: 'ok' | 'idle' | 'retry' | 'refused'
  readonly waitMs: number
  readonly status: number
  readonly code: string
  readonly cursor: string
  /** It polls in place of the stream. */
  readonly polls: boolean
  readonly events: readonly DeviceEvent[]
  readonly renewedToken: boolean
  readonly stack: number
  readonly client: number
}

export interface DeviceOptions {
  readonly port: number | string
  readonly host?: string
  readonly transport?: 'stream' | 'poll'
  readonly env?: Readonly<Record<string, string>>
  readonly program?: string
  /** Put before the program, such as valgrind. */
  readonly runner?: readonly string[]
}

export interface Device {
  /** Resolves when the command is done. */
  run(command: string): Promise<Outcome>
  /** Resolves to the exit code. */
  end(): Promise<number | null>
}

const WITHIN_MS = 60_000

function eventOf(type: string, whole: boolean, values: readonly Value[]): DeviceEvent {
  return {
    type,
    whole,
    values,
    text: path =>
      values
        .filter(value => value.path === path)
        .map(({ text }) => text)
        .join('')
  }
}

export function startDevice(
  t: Test,
  { port, host = '127.0.0.1', transport = 'stream', env = {}, program, runner = [] }: DeviceOptions
): Device {
  const [command = '', ...args] = [...runner, program ?? make('build/driver'), host, `${port}`, transport]
  const variables = { PATH: process.env.PATH, ...env }
  const child = guard(spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env: variables }))
  const closed = once(child, 'close')
  t.teardown(async () => {
    child.kill('SIGKILL')
    await closed
  })
  let values: Value[] = []
  let events: DeviceEvent[] = []
  let more: object = {}
  let done: (outcome: Outcome) => void = () => {}
  createInterface(child.stdout).on('line', text => {
    const line = JSON.parse(text)
    if (line.path !== undefined) values.push(line)
    else if (line.end !== undefined) {
      events.push(eventOf(line.end, line.whole, values))
      values = []
    } else if (line.result === undefined) more = { ...more, ...(line.token ? { renewedToken: true } : line) }
    else {
      done({ renewedToken: false, stack: 0, client: 0, ...more, ...line, events })
      more = {}
      events = []
    }
  })
  return {
    async run(text) {
      const outcome = new Promise<Outcome>(resolve => {
        done = resolve
      })
      child.stdin.write(`${text}\n`)
      const timeout = AbortSignal.timeout(WITHIN_MS)
      const late = once(timeout, 'abort').then(() => Promise.reject(new Error(`the device did not finish: ${text}`)))
      const died = closed.then(() => Promise.reject(new Error(`the device ended during: ${text}`)))
      return Promise.race([outcome, late, died])
    },
    async end() {
      child.stdin.end()
      const [code] = await closed
      return code
    }
  }
}

/** No limits: tests act faster than devices do. */
export const UNLIMITED = {
  RATE_LIMIT_CALLS: '1000000',
  RATE_LIMIT_SIGNALS: '1000000',
  RATE_LIMIT_READS: '1000000',
  RATE_LIMIT_DELIVERIES: '1000000000',
  RATE_LIMIT_PRESENCE: '1000000000',
  RATE_LIMIT_ADDRESS: '1000000',
  RATE_LIMIT_CALLS_PER_PAIR: '1000000',
  RATE_LIMIT_CALLS_PER_CALLEE: '1000000',
  CALL_BACKOFF_MS: '0',
  // Hundreds of connections are cut while a call rings.
  RING_TIMEOUT_MS: '600000'
}

/** A node, a proxy in front of it, alice who uses it directly, and the variables of the device of bob. */
export async function startScene(t: Test, env: Readonly<Record<string, string>> = {}) {
  const [server] = await startServers(t, { engine: 'memory' }, { ...UNLIMITED, ...env })
  const url = server?.url ?? ''
  const proxy = await WireProxy.start(url)
  t.teardown(() => proxy.close())
  const TOKEN = await tokenOf('bob')
  const alice = new Client(url, { token: await tokenOf('alice'), device: 'phone' })
  return { url, proxy, alice, variables: { TOKEN, DEVICE: 'door' } }
}

/** The events of this type that were whole. */
export const wholeOf = (outcome: Outcome, type: string): readonly DeviceEvent[] =>
  outcome.events.filter(event => event.whole && event.type === type)

/** Waits for the snapshot, and opens the stream if the device has one. */
export async function begin(t: Test, device: Device): Promise<void> {
  t.match(await device.run('until snapshot'), { result: 'ok' })
  t.match(await device.run('receive 100'), { result: 'idle' })
}
