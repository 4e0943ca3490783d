// Serves the pages of the example, and opens each of them behind a gate of its own.
import { join } from 'node:path'
import type { Test } from 'tap'
import { installClient } from '../helpers/built-client.js'
import { run } from '../helpers/child-process.js'
import { type Gate, openGate } from './gate.js'
import type { Tab } from './tab.js'

export interface ConnectedTab<T extends Tab = Tab> {
  readonly tab: T
  /** All traffic between the tab and the server passes through it. */
  readonly gate: Gate
}

export interface Pages {
  readonly origin: string
  /** A link that signs the user in; `page` is a path such as `/room.html`. */
  linkOf(user: string, page: string): string
}

/** Starts the server of the example, which prints a link for each user. */
export async function servePages(t: Test): Promise<Pages> {
  const { folder } = await installClient(t)
  const env = { SDK_FOLDER: join(folder, 'dist') }
  const server = run(t, process.execPath, ['examples/browser/serve.mjs', '0'], { env })
  const text = await server.waitForOutput(/carol +http\S+\n/)
  const printed = [...text.matchAll(/^ +(\w+) +(http\S+)$/gm)]
  return {
    origin: /CORS_ORIGINS=(\S+)/.exec(text)?.[1] ?? '',
    linkOf(user, page) {
      const link = printed.find(([, name, link = '']) => name === user && new URL(link).pathname === page)?.[2]
      if (link === undefined) throw new Error(`there is no link to ${page} for ${user} in ${text}`)
      return link
    }
  }
}

/** Opens a tab whose connections to the server pass through a gate of their own. */
export async function openTab<T extends Tab>(
  t: Test,
  url: string | undefined,
  open: (at: Gate) => Promise<T>
): Promise<ConnectedTab<T>> {
  const gate = await openGate(t, url ?? '')
  return { gate, tab: await open(gate) }
}

/** Each tab has received every event once, in order, and has thrown no error. */
export async function checkLogs(t: Test, ...tabs: readonly ConnectedTab[]): Promise<void> {
  for (const { tab } of tabs) {
    const received = await tab.positions()
    t.same(
      received,
      received.map((_, index) => index + 1)
    )
    t.same(tab.faults, [])
  }
}
