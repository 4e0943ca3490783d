// The programs of examples/clients: how each is built, and started as a caller or as the one who answers.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { type Program, run } from '../helpers/child-process.js'

export interface Language {
  readonly name: string
  /** Commands that must be on the PATH. */
  readonly needs: readonly string[]
  /** `none`: signaling only, with a description that never changes. */
  readonly media: 'data' | 'none'
}

export const LANGUAGES: readonly Language[] = [
  { name: 'python', needs: ['python3'], media: 'data' },
  { name: 'go', needs: ['go'], media: 'data' },
  { name: 'java', needs: ['java', 'mvn'], media: 'none' },
  { name: 'c', needs: ['cc', 'make'], media: 'none' },
  { name: 'rust', needs: ['cargo', 'node'], media: 'data' },
  { name: 'typescript', needs: ['npm'], media: 'data' }
]

/** The root of the tree, not of the compiled tests. */
const EXAMPLES = join(process.cwd(), 'examples/clients')
const BUILD_WITHIN_MS = 1_200_000
const CALL_WITHIN_MS = 30_000

/** WORK, from scripts/test.mjs: tools and what they compile, kept between runs outside the tree. */
const KEPT = ['WORK', 'CARGO_HOME', 'RUSTUP_HOME', 'GOFLAGS', 'GOPROXY'].map(name => [name, process.env[name]] as const)
const environment = Object.fromEntries(KEPT.flatMap(([name, value]) => (value ? [[name, value]] : [])))

/** Generates the REST client and compiles. @throws Error with the end of what the build printed */
export async function build(t: Test, { name }: Language): Promise<void> {
  const cwd = join(EXAMPLES, name)
  const program = run(t, 'bash', ['build.sh'], { cwd, env: environment, withinMs: BUILD_WITHIN_MS })
  const code = await program.waitForExit()
  if (code !== 0) throw new Error(`build.sh ended with ${code}: ${(program.stdout() + program.stderr()).slice(-4000)}`)
}

export const isWritten = ({ name }: Language) => existsSync(join(EXAMPLES, name, 'run.sh'))

export interface Start {
  readonly url: string
  readonly token: string
  readonly media: 'data' | 'none'
  /** `answer`, or `call` and a user. */
  readonly args: readonly string[]
}

export function start(t: Test, { name }: Language, { url, token, media, args }: Start): Program {
  // Go and Rust send no id of their device either.
  const env = { ...environment, SIGNALPOST_URL: url, SIGNALPOST_TOKEN: token, MEDIA: media, DEVICE: 'default' }
  const options = { cwd: join(EXAMPLES, name), env, withinMs: CALL_WITHIN_MS }
  return run(t, 'bash', ['run.sh', ...args], options)
}
