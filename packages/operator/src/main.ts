// The operator view: what happens on the servers, and what an operator may do about it, by the admin API.

import { openCalls } from './calls-view.js'
import { openChat } from './chat-view.js'
import { openDevices } from './credentials-view.js'
import { openNodes } from './nodes-view.js'
import { AdminApi } from './requests.js'
import { openRooms } from './rooms-view.js'
import { openShell, type ViewLink } from './shell.js'
import { forgetSecret, keptSecret, signInForm } from './sign-in.js'
import { openUsers } from './users-view.js'
import { openWebhooks } from './webhooks-view.js'

const LINKS: readonly [ViewLink, ...ViewLink[]] = [
  { path: 'calls', name: 'Calls', open: openCalls },
  { path: 'rooms', name: 'Rooms', open: openRooms },
  { path: 'users', name: 'Users', open: openUsers },
  { path: 'devices', name: 'Devices', open: openDevices },
  { path: 'nodes', name: 'Nodes', open: openNodes },
  { path: 'chat', name: 'Chat', open: openChat },
  { path: 'webhooks', name: 'Webhooks', open: openWebhooks }
]

function start(header: HTMLElement, main: HTMLElement): void {
  const open = (api: AdminApi) => openShell(header, main, { api, links: LINKS, signedOut: signOut })
  const signIn = (problem: unknown) => {
    document.title = 'Signalpost operator'
    main.replaceChildren(signInForm({ problem, signedIn: open }))
    main.querySelector('input')?.focus()
  }
  const signOut = (problem: unknown) => {
    forgetSecret()
    signIn(problem)
  }
  const secret = keptSecret()
  if (secret === null) signIn(null)
  else open(new AdminApi(secret))
}

const header = document.querySelector('header')
const main = document.querySelector('main')
if (header && main) start(header, main)
