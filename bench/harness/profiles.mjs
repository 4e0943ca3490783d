// Reads what node --cpu-prof wrote.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The clock that V8 stamps profiles with, in microseconds. */
export const monotonicMicros = () => Number(process.hrtime.bigint() / 1000n)

/** A file within its package, or within this repository. */
function shorten(url) {
  const inPackage = /.*node_modules\/(.+)$/.exec(url)
  return inPackage ? inPackage[1] : url.replace(/.*\/(dist|bench)\//, '$1/')
}

function moduleOf({ url }) {
  if (!url) return '(engine, kernel, garbage collector)'
  if (url.startsWith('node:')) return url.replace(/^node:internal\/.*/, 'node:internal')
  const inPackage = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)
  return inPackage ? inPackage[1] : shorten(url)
}

function labelOf({ functionName, url, lineNumber }) {
  return `${functionName || '(anonymous)'}  ${shorten(url)}${url ? `:${lineNumber + 1}` : ''}`
}

function add(table, label, micros) {
  table.set(label, (table.get(label) ?? 0) + micros)
}

/** Microseconds between `from` and `to` in which the process was not idle: by module, by function, and by function with all it calls. */
export function readProfile(directory, pid, { from, to }) {
  const file = readdirSync(directory).find(name => name.includes(`.${pid}.`))
  if (!file) throw new Error(`process ${pid} left no profile: it did not end by itself`)
  const { nodes, samples, timeDeltas, startTime } = JSON.parse(readFileSync(join(directory, file), 'utf8'))
  const byId = new Map(nodes.map(node => [node.id, node]))
  for (const node of nodes) for (const child of node.children ?? []) byId.get(child).parent = node
  const modules = new Map()
  const functions = new Map()
  const inclusive = new Map()
  let total = 0
  let at = startTime
  for (const [i, id] of samples.entries()) {
    const micros = timeDeltas[i]
    at += micros
    const node = byId.get(id)
    if (at < from || at > to || node.callFrame.functionName === '(idle)') continue
    total += micros
    add(modules, moduleOf(node.callFrame), micros)
    add(functions, labelOf(node.callFrame), micros)
    const stack = new Set()
    for (let frame = node; frame; frame = frame.parent) stack.add(labelOf(frame.callFrame))
    for (const label of stack) add(inclusive, label, micros)
  }
  return { modules, functions, inclusive, total }
}

/** The first `limit` rows of a table, as microseconds a message and as shares. */
export function printTop(title, { table, total, messages, limit }) {
  console.log(`\n${title}`)
  const top = [...table].sort((a, b) => b[1] - a[1]).slice(0, limit)
  for (const [label, micros] of top) {
    const each = (micros / messages).toFixed(2).padStart(8)
    const share = ((micros / total) * 100).toFixed(1).padStart(6)
    console.log(`${each} µs ${share} %  ${label}`)
  }
}
