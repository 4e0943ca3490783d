// EVALSHA and EVAL as an ioredis command whose RESP text is built from few strings. The many strings that Command builds were the largest
// part of what a relayed candidate allocates.
import { Command } from 'ioredis'

export type Argument = string | number

export interface ScriptInput {
  readonly keys: readonly string[]
  readonly args: readonly Argument[]
}

export class ScriptCommand extends Command {
  /** `script` is its digest (`evalsha`) or its text (`eval`). */
  constructor(name: 'evalsha' | 'eval', script: string, { keys, args }: ScriptInput) {
    super(name, [], { replyEncoding: 'utf8' })
    // Set here, because client.evalsha() copies the arguments three times.
    this.args = [script, String(keys.length), ...keys, ...args.map(String)]
  }

  override toWritable(): string {
    let text = `*${this.args.length + 1}${headOf(this.name)}${this.name}`
    for (const arg of this.args as string[]) text += headOf(arg) + arg
    return `${text}\r\n`
  }
}

const HEADS = Array.from({ length: 64 }, (_, length) => `\r\n$${length}\r\n`)

/** The text between two bulk strings: the end of the first, and the length of the second in bytes. */
function headOf(text: string): string {
  return (isShortAscii(text) && HEADS[text.length]) || `\r\n$${Buffer.byteLength(text)}\r\n`
}

/** For a short text this is cheaper than Buffer.byteLength, which leaves JavaScript. */
function isShortAscii(text: string): boolean {
  if (text.length >= HEADS.length) return false
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false
  return true
}
