// The clients of the zoo, and what each of them needs. `install.sh` provides it.
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

export interface ZooClient {
  readonly name: string
  /** How it starts, in the folder of the zoo. */
  readonly command: string
  readonly args: readonly string[]
  /** Native EventSource cannot set headers. */
  readonly credential: 'token' | 'ticket'
  /** What is not installed, and which part of `install.sh` installs it. Null: nothing is missing. */
  readonly missing: { readonly what: string; readonly part: string } | null
}

/** Not the folder of the compiled tests, where the libraries are not. */
export const ZOO = join(process.cwd(), 'test/zoo')

const BROWSERS = {
  chromium: ['chromium', 'chromium-browser', 'google-chrome'],
  firefox: ['firefox-esr', 'firefox']
}

export const CLIENTS: readonly ZooClient[] = [
  ...(['chromium', 'firefox'] as const).flatMap(browser => [
    inBrowser(browser, { name: 'EventSource', page: 'native-event-source', library: null }),
    inBrowser(browser, {
      name: '@microsoft/fetch-event-source',
      page: 'fetch-event-source',
      library: '@microsoft/fetch-event-source'
    }),
    inBrowser(browser, {
      name: 'event-source-polyfill',
      page: 'event-source-polyfill',
      library: 'event-source-polyfill'
    })
  ]),
  inNode('eventsource'),
  inNode('eventsource-client'),
  inPython('httpx-sse', 'httpx_sse_client.py'),
  inPython('requests, sseclient-py', 'sseclient_py_client.py'),
  inPython('aiohttp', 'aiohttp_client.py'),
  of('Go r3labs/sse', { command: '.build/r3labs', args: [], files: ['.build/r3labs'], part: 'go' }),
  of('JDK HttpClient', { command: 'java', args: ['clients/JdkHttpClient.java'], files: ['java'], part: 'java' }),
  of('curl', { command: 'clients/curl.sh', args: [], files: ['curl'], part: 'curl' })
]

interface Parts {
  readonly command: string
  readonly args: readonly string[]
  /** Commands on the PATH, and files in the folder of the zoo. */
  readonly files: readonly string[]
  readonly part: string
}

function of(name: string, { command, args, files, part }: Parts): ZooClient {
  const what = files.find(file => find(file) === null)
  return { name, command, args, credential: 'token', missing: what === undefined ? null : { what, part } }
}

function inNode(library: string): ZooClient {
  const args = [`clients/${library}.mjs`]
  return of(library, { command: process.execPath, args, files: [`node_modules/${library}/package.json`], part: 'node' })
}

function inPython(name: string, file: string): ZooClient {
  const command = '.venv/bin/python'
  return of(name, { command, args: [`clients/${file}`], files: [command], part: 'python' })
}

interface Page {
  readonly name: string
  readonly page: string
  readonly library: string | null
}

function inBrowser(browser: keyof typeof BROWSERS, { name, page, library }: Page): ZooClient {
  const executable = BROWSERS[browser].find(each => find(each) !== null) ?? browser
  const client = of(`${name} in ${browser}`, {
    command: process.execPath,
    args: ['clients/browser.mjs', browser, executable, page],
    files: [executable],
    part: browser
  })
  if (library === null) return { ...client, credential: 'ticket' }
  const isInstalled = find(`node_modules/${library}/package.json`) !== null
  return isInstalled || client.missing ? client : { ...client, missing: { what: library, part: 'node' } }
}

/** The path of a command on the PATH, or of a file in the folder of the zoo. */
function find(name: string): string | null {
  const folders = name.includes('/') ? [ZOO] : (process.env.PATH ?? '').split(delimiter)
  return folders.map(folder => join(folder, name)).find(isReadable) ?? null
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK)
    return true
  } catch {
    return false
  }
}
