// Runs the commands of docs/getting-started.md: every command succeeds, and every reply and event is as shown.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { run } from '../helpers/child-process.js'
import { startServers } from '../helpers/servers.js'

interface Block {
  readonly kind: string
  readonly text: string
}

const page = readFileSync(new URL('../../docs/getting-started.md', import.meta.url), 'utf8')
const blocks = [...page.matchAll(/```([a-z ]+)\n(.*?)```/gs)].map(
  ([, kind = '', text = '']): Block => ({ kind, text: text.trim() })
)
const eventsIn = (text: string) => [...text.matchAll(/^event: (.+)$/gm)].map(([, type = '']) => type)

/** Members whose values differ from run to run. */
const VOLATILE = new Set(['callId', 'cursor', 'expiresInMs', 'id', 'participantId', 'setupMs'])
const MARK = '=== block '

/** All commands for one shell, with a mark after each block. The stream runs in the background and writes to a file. */
function script(base: string, stream: string): string {
  const lines = blocks.map(({ kind, text }, at) => {
    if (kind === 'sh') return `${text.replace('http://127.0.0.1:8080', base)}\necho '${MARK}${at}'`
    if (kind === 'sh stream') return `${text} >'${stream}' &`
    // Waits for the event: tail ends with the shell.
    return kind === 'text'
      ? eventsIn(text)
          .map(type => `grep -qm1 '^event: ${type}$' <(tail -n +1 -F '${stream}' 2>/dev/null)`)
          .join('\n')
      : ''
  })
  return `set -euo pipefail\ntrap 'kill $(jobs -p)' EXIT\n${lines.join('\n')}`
}

/** The part of `actual` that is also in `shown`. */
function shownPart(actual: unknown, shown: unknown, key = ''): unknown {
  if (VOLATILE.has(key) && typeof actual === typeof shown) return shown
  if (Array.isArray(shown) && Array.isArray(actual)) return actual.map((item, i) => shownPart(item, shown[i]))
  if (!isObject(shown) || !isObject(actual)) return actual
  return Object.fromEntries(Object.entries(shown).map(([name, value]) => [name, shownPart(actual[name], value, name)]))
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

t.test('a reader who pastes docs/getting-started.md gets what it shows', async t => {
  const [server] = await startServers(t, { engine: 'memory' })
  const folder = mkdtempSync(join(tmpdir(), 'getting-started-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const stream = join(folder, 'stream')
  const childProcess = run(t, 'bash', ['-c', script(server?.url ?? '', stream)], { withinMs: 60_000 })
  t.equal(await childProcess.waitForExit(), 0, childProcess.stdout() + childProcess.stderr())
  t.strictSame(
    eventsIn(readFileSync(stream, 'utf8')),
    blocks.flatMap(({ kind, text }) => (kind === 'text' ? eventsIn(text) : []))
  )
  const output = childProcess.stdout().split(/=== block \d+\n/)
  const commands = blocks.flatMap(({ kind }, at) => (kind === 'sh' ? [at] : []))
  let replies = 0
  for (const [at, { kind, text }] of blocks.entries()) {
    if (kind !== 'json') continue
    const printed = output[commands.findLastIndex(command => command < at)]?.trim().split('\n').at(-1) ?? ''
    const shown = JSON.parse(text)
    t.strictSame(shownPart(JSON.parse(printed), shown), shown, text)
    replies += 1
  }
  t.equal(replies, 8)
})
