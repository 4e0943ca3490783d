// A script's call as ioredis sends it. Its text is made of few pieces: each is an object of its own until the text is written, and
// with the pieces of Command it was the largest part of what a relayed candidate allocates.
import { Command } from 'ioredis'

export type Argument = string | number

export class ScriptCommand extends Command {
  constructor(name: 'evalsha' | 'eval', script: string, keys: readonly string[], args: readonly Argument[]) {
    super(name, [], { replyEncoding: 'utf8' })
    // client.evalsha() copies the arguments three times over, for shapes they do not have.
    this.args = [script, String(keys.length), ...keys, ...args.map(String)]
  }

  override toWritable(): string {
    let text = `*${this.args.length + 1}${headOf(this.name)}${this.name}`
    for (const arg of this.args as string[]) text += headOf(arg) + arg
    return `${text}\r\n`
  }
}

const HEADS = Array.from({ length: 64 }, (_, length) => `\r\n$${length}\r\n`)

/** What stands between two bulk strings: the end of one, and the length of the next in bytes. */
function headOf(text: string): string {
  return (isShortAscii(text) && HEADS[text.length]) || `\r\n$${Buffer.byteLength(text)}\r\n`
}

/** For a short text this is cheaper than to leave JavaScript for its length in bytes. */
function isShortAscii(text: string): boolean {
  if (text.length >= HEADS.length) return false
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 127) return false
  return true
}
