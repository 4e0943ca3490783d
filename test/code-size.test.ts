// Budgets of src and packages: files, functions, nesting, Lua scripts and route handlers. Long code is split, not exempted.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { type FunctionSize, measureFunctions } from './helpers/function-sizes.js'

const FILE_LINES_MAX = 250
const LUA_LINES_MAX = 60
const FUNCTION_LINES_MAX = 40
const NESTING_MAX = 3
const HANDLER_LINES_MAX = 10

const FOLDERS = [
  'src',
  'packages/client/src',
  'packages/operator/src',
  'packages/page-parts/src',
  'packages/playground/src'
]
/** Generated. */
const TYPES = /\/api\.ts$/

function sourcesOf(extension: string): Map<string, string> {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const files = FOLDERS.flatMap(folder =>
    (readdirSync(join(root, folder), { recursive: true }) as string[]).map(file => `${folder}/${file}`)
  )
  const found = files.filter(file => file.endsWith(extension) && !TYPES.test(file)).sort()
  return new Map(found.map(file => [file, readFileSync(join(root, file), 'utf8')]))
}

const typescript = sourcesOf('.ts')
const functions = measureFunctions(typescript)

/** The names of those whose size is above the budget, with the size. */
const tooLarge = <Item>(items: Iterable<Item>, max: number, measure: (item: Item) => [size: number, name: string]) =>
  [...items].map(measure).flatMap(([size, name]) => (size > max ? [`${name}: ${size} of ${max}`] : []))

t.test(`a file has at most ${FILE_LINES_MAX} lines`, async t => {
  const lines = (text: string) => text.trimEnd().split('\n').length
  t.strictSame(
    tooLarge(typescript, FILE_LINES_MAX, ([file, text]) => [lines(text), file]),
    []
  )
})

t.test(`a Lua script has at most ${LUA_LINES_MAX} lines of code`, async t => {
  const codeLines = (text: string) => text.split('\n').filter(line => !/^\s*(--|#!|$)/.test(line)).length
  t.strictSame(
    tooLarge(sourcesOf('.lua'), LUA_LINES_MAX, ([file, text]) => [codeLines(text), file]),
    []
  )
})

t.test(`a function has at most ${FUNCTION_LINES_MAX} lines of its own`, async t => {
  t.ok(functions.length > 1000)
  t.strictSame(
    tooLarge(functions, FUNCTION_LINES_MAX, ({ ownLines, where }) => [ownLines, where]),
    []
  )
})

t.test(`statements nest at most ${NESTING_MAX} deep in a function`, async t => {
  t.strictSame(
    tooLarge(functions, NESTING_MAX, ({ nesting, where }) => [nesting, where]),
    []
  )
})

t.test(`a route handler has at most ${HANDLER_LINES_MAX} lines`, async t => {
  const handlers = functions.filter(({ isRouteHandler }) => isRouteHandler)
  t.ok(handlers.length > 40)
  t.strictSame(
    tooLarge(handlers, HANDLER_LINES_MAX, ({ ownLines, where }) => [ownLines, where]),
    []
  )
})

t.test('code above a budget is found', async t => {
  const long = `export function long(): void {\n${'  run()\n'.repeat(FUNCTION_LINES_MAX)}}\n`
  const [size] = measureFunctions(new Map([['long.ts', long]]))
  t.equal(size?.ownLines, FUNCTION_LINES_MAX + 2)
  t.strictSame(
    tooLarge([size as FunctionSize], FUNCTION_LINES_MAX, ({ ownLines, where }) => [ownLines, where]),
    ['long.ts:1 long: 42 of 40']
  )
})

t.test('the size of a function has no lines of nested functions, comments or blank lines', async t => {
  const text = `
/** Not measured. */
export function outer(list: readonly number[]): number {
  // Not a line of code.
  const inner = (n: number) => {
    if (n > 1) return n
    return 1
  }

  return list.map(n => inner(n)).reduce((sum, n) => {
    return sum + n
  }, 0)
}
`
  t.strictSame(
    measureFunctions(new Map([['sample.ts', text]])).map(({ where, ownLines }) => `${where}: ${ownLines}`),
    ['sample.ts:3 outer: 4', 'sample.ts:5 inner: 4', 'sample.ts:10 (anonymous): 1', 'sample.ts:10 (anonymous): 3']
  )
})

t.test('nesting counts statements in statements, and begins anew in a nested function', async t => {
  const text = `
function deep(list: readonly number[][]): void {
  for (const row of list) {
    try {
      for (const n of row) {
        if (n === 1) run()
        else if (n === 2) run()
        else while (n > 2) run()
      }
    } finally {
      row.forEach(() => {
        if (row.length > 0) run()
      })
    }
  }
}
app.get('/path', OPTIONS, async ({ actor }) => {
  return actor
})
`
  const [deep, nested, handler] = measureFunctions(new Map([['sample.ts', text]]))
  t.match(deep, { nesting: 5, isRouteHandler: false })
  t.match(nested, { nesting: 1, isRouteHandler: false })
  t.match(handler, { ownLines: 3, nesting: 0, isRouteHandler: true })
})
