// The table of settings as the README and .env.example show it. Prints the README's part; with --write it puts both in place.
// test/config.test.ts holds both files against it.
import { readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { SETTINGS } from '../src/settings.js'

const START = '<!-- config:start -->'
const END = '<!-- config:end -->'
const README = new URL('../README.md', import.meta.url)
const EXAMPLE = new URL('../.env.example', import.meta.url)

/** From marker to marker, both included. */
export function configTable(): string {
  const rows = Object.entries(SETTINGS).map(
    ([name, setting]) =>
      `| \`${name}\` | ${setting.default === '' ? '' : `\`${setting.default}\``} | ${setting.description} |`
  )
  return [START, '| Name | Default | Meaning |', '|---|---|---|', ...rows, END].join('\n')
}

export function envExample(): string {
  const parts = Object.entries(SETTINGS).map(
    ([name, setting]) => `# ${setting.description}\n${name}=${setting.default}\n`
  )
  return `# Every setting with its default; an empty one is as good as none. Use it with: node --env-file=.env\n\n${parts.join('\n')}`
}

/** The part of a text that configTable() makes; undefined when the markers are missing. */
export function findConfigTable(text: string): string | undefined {
  const [from, to] = [text.indexOf(START), text.indexOf(END)]
  return from < 0 || to < from ? undefined : text.slice(from, to + END.length)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  if (process.argv.includes('--write')) {
    const readme = readFileSync(README, 'utf8')
    const old = findConfigTable(readme)
    if (old === undefined) throw new Error(`README.md lacks ${START} and ${END}`)
    writeFileSync(
      README,
      readme.replace(old, () => configTable())
    )
    writeFileSync(EXAMPLE, envExample())
  } else {
    console.log(configTable())
  }
}
