// Makes docs/reference/settings.md and .env.example from the table of settings.
import { SETTINGS } from '../../src/settings.js'
import { generatedFrom, table } from './markdown.js'

/** Headings, by the setting that they stand before. */
const SECTIONS: Readonly<Record<string, string>> = {
  HOST: 'Server',
  REDIS_URL: 'Redis',
  TRUST_PROXY: 'Network',
  JWT_SECRET: 'Tokens',
  SIGNING_KEYS: 'Device credentials',
  RING_TIMEOUT_MS: 'Calls',
  RETENTION_MS: 'Devices and mailboxes',
  PRESENCE_TTL_MS: 'Presence',
  RATE_LIMIT_CALLS: 'Rate limits',
  ROOM_MAX_PARTICIPANTS: 'Rooms',
  CHAT_HISTORY_MAX: 'Chat',
  STUN_URLS: 'STUN and TURN',
  POLICY_URL: 'Policy service',
  ROOM_SERVICE_URL: 'Room service',
  MEDIA_SERVICE_URLS: 'Media services',
  WEBHOOK_URLS: 'Webhooks',
  PUSH_KEY: 'Push',
  DRAIN_SETTLE_MS: 'Shutdown'
}

export function settingsPage(): string {
  const sections: { title: string; rows: string[][] }[] = []
  for (const [name, setting] of Object.entries(SETTINGS)) {
    const title = SECTIONS[name]
    if (title !== undefined) sections.push({ title, rows: [] })
    const fallback = setting.default === '' ? '' : `\`${setting.default}\``
    sections.at(-1)?.rows.push([`\`${name}\``, fallback, setting.description])
  }
  const parts = sections.map(({ title, rows }) => `## ${title}\n\n${table(['Name', 'Default', 'Meaning'], rows)}\n`)
  return `${generatedFrom('src/settings/')}
# Settings

Signalpost is configured by environment variables only. An empty variable counts as unset. At start, all mistakes are reported at once, and no
value of a secret is ever printed. Names that end in \`_MS\` are milliseconds. \`.env.example\` lists every setting with its default; use it with
\`node --env-file=.env dist/main.js\`.

${parts.join('\n')}`
}

export function envExample(): string {
  const parts = Object.entries(SETTINGS).map(
    ([name, setting]) => `# ${setting.description}\n${name}=${setting.default}\n`
  )
  return `# Every setting with its default. An empty value counts as unset. Use it with: node --env-file=.env dist/main.js\n\n${parts.join('\n')}`
}
