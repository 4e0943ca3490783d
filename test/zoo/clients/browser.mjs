// Opens a page in a browser: `node browser.mjs chromium native-event-source`. The page sends what it receives back to this process, which
// prints it.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { EVENT_TYPES, printNote, STREAM_URL, TOKEN } from './lines.mjs'

const [kind = '', executable = '', page = ''] = process.argv.slice(2)
const folder = fileURLToPath(new URL('..', import.meta.url))
const profile = mkdtempSync(join(tmpdir(), 'signalpost-zoo-'))

/** Neither browser contacts its maker. */
const BROWSERS = {
  chromium: {
    arguments: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      `--user-data-dir=${profile}`
    ],
    preferences: ''
  },
  firefox: {
    arguments: ['--headless', '--no-remote', '--profile', profile],
    preferences: `
      user_pref('app.normandy.enabled', false);
      user_pref('app.update.enabled', false);
      user_pref('browser.safebrowsing.downloads.enabled', false);
      user_pref('browser.safebrowsing.malware.enabled', false);
      user_pref('browser.safebrowsing.phishing.enabled', false);
      user_pref('browser.shell.checkDefaultBrowser', false);
      user_pref('captivedetect.canonicalURL', '');
      user_pref('datareporting.policy.dataSubmissionEnabled', false);
      user_pref('extensions.update.enabled', false);
      user_pref('network.captive-portal-service.enabled', false);
      user_pref('network.connectivity-service.enabled', false);
      user_pref('services.settings.server', 'http://127.0.0.1:1');
      user_pref('toolkit.telemetry.server', 'http://127.0.0.1:1');
    `
  }
}

const HTML = `<!doctype html><title>zoo</title><script type="module" src="/clients/pages/${page}.js"></script>`
const SETTINGS = JSON.stringify({ url: STREAM_URL, token: TOKEN, types: EVENT_TYPES.split(',') })

const server = createServer(async (request, response) => {
  if (request.method === 'POST') {
    for await (const line of request) process.stdout.write(line)
    return response.end()
  }
  const { text, type } = replyTo(request.url ?? '/')
  response.writeHead(200, { 'content-type': `${type}; charset=utf-8` }).end(text)
}).listen(0, '127.0.0.1', openPage)

/** The modules of a library import each other without `.js`. */
function replyTo(path) {
  if (path === '/') return { text: HTML, type: 'text/html' }
  if (path === '/settings') return { text: SETTINGS, type: 'application/json' }
  if (path === '/favicon.ico') return { text: '', type: 'image/x-icon' }
  const isJson = extname(path) === '.json'
  const file = join(folder, isJson || extname(path) === '.js' ? path : `${path}.js`)
  return { text: readFileSync(file), type: isJson ? 'application/json' : 'text/javascript' }
}

function openPage() {
  const { arguments: args, preferences } = BROWSERS[kind]
  writeFileSync(join(profile, 'user.js'), preferences)
  const browser = spawn(executable, [...args, `http://127.0.0.1:${server.address().port}/`], { stdio: 'ignore' })
  browser.once('exit', code => {
    printNote(`the browser ended with ${code}`)
    rmSync(profile, { recursive: true, force: true })
    process.exit(1)
  })
}
