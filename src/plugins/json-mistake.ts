// Where a text stops being JSON (RFC 8259). JSON.parse does not always say it, and each version of Node says it in other words.

type Kind = '{' | '}' | '[' | ']' | ':' | ',' | 'string' | 'number' | 'word'
type Expected = 'value' | 'value or ]' | 'name' | 'name or }' | ':' | ', or }' | ', or ]' | 'end'

/** What stands where in a body that is not JSON. Null if it is JSON. */
export function describeMistake(text: string): string | null {
  const position = positionOfMistake(text)
  if (position === null) return null
  const lines = text.slice(0, position).split('\n')
  const place = `at line ${lines.length}, column ${(lines.at(-1)?.length ?? 0) + 1}`
  const code = text.codePointAt(position)
  if (code === undefined) return `The body ends too early ${place}`
  const isVisible = code > 0x20 && code < 0x7f
  return `Unexpected ${isVisible ? String.fromCodePoint(code) : `U+${code.toString(16).padStart(4, '0')}`} ${place}`
}

const VALUE = {
  '{': 'name or }',
  '[': 'value or ]',
  string: 'after value',
  number: 'after value',
  word: 'after value'
} as const

/** What may follow a token. */
const FOLLOWING: Readonly<Record<Expected, { readonly [kind in Kind]?: Expected | 'after value' }>> = {
  value: VALUE,
  'value or ]': { ...VALUE, ']': 'after value' },
  name: { string: ':' },
  'name or }': { string: ':', '}': 'after value' },
  ':': { ':': 'value' },
  ', or }': { ',': 'name', '}': 'after value' },
  ', or ]': { ',': 'value', ']': 'after value' },
  end: {}
}

/** Loops, because a deeply nested text would overflow the stack of a recursive function. */
function positionOfMistake(text: string): number | null {
  /** The objects and arrays that the position is in. */
  const open: Kind[] = []
  let expected: Expected = 'value'
  for (let position = skipSpace(text, 0); position < text.length; ) {
    const { kind, end } = tokenAt(text, position)
    if (kind === null) return end
    const following: Expected | 'after value' | undefined = FOLLOWING[expected][kind]
    if (following === undefined) return position
    if (kind === '{' || kind === '[') open.push(kind)
    if (kind === '}' || kind === ']') open.pop()
    expected = following === 'after value' ? afterValue(open.at(-1)) : following
    position = skipSpace(text, end)
  }
  return expected === 'end' ? null : text.length
}

function afterValue(innermost: Kind | undefined): Expected {
  if (innermost === undefined) return 'end'
  return innermost === '{' ? ', or }' : ', or ]'
}

interface Token {
  /** Null if `end` is the position of a mistake. */
  readonly kind: Kind | null
  readonly end: number
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const WORD = /true|false|null/y

function tokenAt(text: string, position: number): Token {
  const character = text.charAt(position)
  if ('{}[]:,'.includes(character)) return { kind: character as Kind, end: position + 1 }
  if (character === '"') return stringAt(text, position)
  const [number, word] = [endOf(NUMBER, text, position), endOf(WORD, text, position)]
  if (number !== null) return { kind: 'number', end: number }
  return word === null ? { kind: null, end: position } : { kind: 'word', end: word }
}

const ESCAPE = /\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/y

function stringAt(text: string, start: number): Token {
  let position = start + 1
  while (position < text.length) {
    const character = text.charAt(position)
    if (character === '"') return { kind: 'string', end: position + 1 }
    const next = character === '\\' ? endOf(ESCAPE, text, position) : position + 1
    if (next === null || character < ' ') return { kind: null, end: position }
    position = next
  }
  return { kind: null, end: text.length }
}

function endOf(pattern: RegExp, text: string, position: number): number | null {
  pattern.lastIndex = position
  return pattern.test(text) ? pattern.lastIndex : null
}

function skipSpace(text: string, from: number): number {
  let position = from
  while (position < text.length && ' \t\r\n'.includes(text.charAt(position))) position += 1
  return position
}
