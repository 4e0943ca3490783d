// `node packages/c-client/measure.mjs [--json]`: code size, memory and worst-case stack of the client, for each compiler that is installed.
// The stack is the deepest path through the call graph that gcc writes (-fcallgraph-info=su), without your callbacks and the port.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const FOLDER = fileURLToPath(new URL('.', import.meta.url))
const SOURCES = readdirSync(join(FOLDER, 'src')).filter(name => name.endsWith('.c'))
/** Linked only for a device with a key of its own, so its figures stand apart. */
const DEVICE = 'device.c'
const COMPILERS = [
  { name: 'Cortex-M4', gcc: 'arm-none-eabi-gcc', size: 'arm-none-eabi-size', flags: ['-mcpu=cortex-m4', '-mthumb'] },
  { name: 'this machine', gcc: 'gcc', size: 'size', flags: [] }
]
/** What a call through a pointer in these files may reach. In all others it reaches your callbacks and the port. */
const INDIRECT = {
  'json.c': ['document.c:take_value'],
  'sse.c': ['document.c:take_step'],
  'exchange.c': ['create', 'accept', 'candidates_alone', 'sdp', 'whole']
    .map(name => `calls.c:write_${name}`)
    .concat('device.c:write_members')
}

const figures = COMPILERS.filter(({ gcc }) => spawnSync('which', [gcc]).status === 0).map(measure)
if (process.argv.includes('--json')) console.log(JSON.stringify(figures))
else
  for (const { name, code, client, stack, path, device } of figures)
    console.log(
      `${name}: ${code} bytes of code, ${client} of memory for each client, ${stack} of stack: ${path.join(' > ')}\n` +
        `  a key of its own: ${device.code} more bytes of code, ${device.memory} of memory, ${device.stack} of stack in all`
    )

function measure({ name, gcc, size, flags }) {
  const cwd = mkdtempSync(join(tmpdir(), 'signalpost-c-'))
  try {
    const options = [...flags, '-std=c99', '-Os', '-fcallgraph-info=su', `-I${join(FOLDER, 'include')}`]
    for (const source of SOURCES) execFileSync(gcc, [...options, '-c', join(FOLDER, 'src', source)], { cwd })
    const sizeOf = sources => {
      const objects = sources.map(source => source.replace('.c', '.o'))
      const totals = execFileSync(size, ['--totals', ...objects], { cwd, encoding: 'utf8' })
        .trim()
        .split('\n')
        .at(-1)
      const [text, data, bss] = totals.trim().split(/\s+/).map(Number)
      return { text, static: data + bss }
    }
    const core = sizeOf(SOURCES.filter(source => source !== DEVICE))
    const sizeOfStruct = struct => sizeOfType(gcc, options, { cwd, struct })
    const device = {
      code: sizeOf([DEVICE]).text,
      memory: sizeOfStruct('sp_device'),
      stack: deepestPath(cwd, () => true).stack
    }
    return {
      ...{ name, code: core.text, static: sizeOf(SOURCES).static, client: sizeOfStruct('sp_client'), device },
      ...deepestPath(cwd, file => file !== DEVICE)
    }
  } finally {
    rmSync(cwd, { recursive: true })
  }
}

/** By an array of that size, because a program for another processor cannot be run. */
function sizeOfType(gcc, options, { cwd, struct }) {
  const input = `#include "signalpost_device.h"\nchar probe[sizeof(struct ${struct})];\n`
  const assembly = execFileSync(gcc, [...options, '-xc', '-S', '-o', '-', '-'], { cwd, input, encoding: 'utf8' })
  return Number(/\.size\s+probe,\s*(\d+)/.exec(assembly)?.[1])
}

/** @param isCounted whether a source file is part of the program */
function deepestPath(folder, isCounted) {
  const sizes = new Map()
  const calls = new Map()
  for (const file of readdirSync(folder).filter(name => name.endsWith('.ci')))
    if (isCounted(`${basename(file, '.ci')}.c`)) readGraph(join(folder, file), sizes, calls)
  const known = new Map()
  const depthOf = name => {
    if (!known.has(name)) {
      known.set(name, { stack: 0, path: [] }) // ends cycles
      const [deepest = { stack: 0, path: [] }] = [...(calls.get(name) ?? [])]
        .map(depthOf)
        .sort((a, b) => b.stack - a.stack)
      const own = sizes.get(name) ?? 0
      known.set(name, { stack: own + deepest.stack, path: own > 0 ? [`${name} ${own}`, ...deepest.path] : [] })
    }
    return known.get(name)
  }
  return [...sizes.keys()].map(depthOf).sort((a, b) => b.stack - a.stack)[0]
}

/** Functions of one file are named `file.c:function`, others by their name alone. */
function readGraph(path, sizes, calls) {
  const text = readFileSync(path, 'utf8')
  const file = `${basename(path, '.ci')}.c`
  const nameOf = title => basename(title)
  for (const [, title, bytes] of text.matchAll(/^node: .*?title: "([^"]+)".*?\\n(\d+) bytes/gm))
    sizes.set(nameOf(title), Number(bytes))
  for (const [, source, target] of text.matchAll(/^edge: .*?sourcename: "([^"]+)" targetname: "([^"]+)"/gm)) {
    const targets = target === '__indirect_call' ? (INDIRECT[file] ?? []) : [nameOf(target)]
    const set = calls.get(nameOf(source)) ?? new Set()
    for (const each of targets) set.add(each)
    calls.set(nameOf(source), set)
  }
}
