// A user: presence, devices, calls and rooms, refused tokens and credentials of devices; signing out.
import { button, el } from '../../page-parts/src/dom.js'
import type { AdminDevice, AdminMembership, Call, Revocation } from './api.js'
import { quoted } from './confirm.js'
import { credentialsPart } from './credentials-view.js'
import { createFacts } from './facts.js'
import { findForm } from './find-form.js'
import { part } from './requests.js'
import { createTable, type RowAction, type Table } from './table.js'
import { partyText, timeText } from './texts.js'
import { refuseTokensForm } from './tokens-form.js'
import type { OpenView, Shell, View } from './view.js'

export const openUsers: OpenView = (shell, [user]) => (user ? userView(shell, user) : findView())

function findView(): View {
  const hint = el(
    'p',
    { class: 'quiet' },
    'Signalpost has no list of users. Callers and participants in the other views lead here.'
  )
  const element = el('div', { class: 'card stack' }, findForm('User by id', 'users'), hint)
  return { title: 'Users', element, refresh: async () => undefined }
}

function userView(shell: Shell, user: string): View {
  const facts = createFacts()
  const [devices, calls] = [devicesTable(shell, user), callsTable()]
  const [rooms, revocations] = [roomsTable(), revocationsTable(shell, user)]
  const credentials = credentialsPart(shell, user)
  const signOutAll = button('Sign out all devices', () => signOut(shell, user, null), { class: 'danger' })
  const refresh = async (signal: AbortSignal) => {
    const reply = await shell.api.send('GET', `/admin/users/${part(user)}`, { signal })
    const { state, lastSeenAt } = reply.presence
    facts.show([
      ['User', user],
      ['Presence', state],
      ['Last seen', timeText(lastSeenAt)]
    ])
    devices.show(reply.devices.toSorted((one, other) => one.device.localeCompare(other.device)))
    calls.show(reply.calls)
    rooms.show(reply.rooms)
    revocations.show(reply.revocations)
    await credentials.refresh(signal)
  }
  const element = el('div', { class: 'stack' }, findForm('Another user by id', 'users'))
  element.append(
    el('section', { class: 'card stack', 'aria-label': 'User' }, facts.element, el('div', {}, signOutAll)),
    section('Devices', devices),
    section('Live calls', calls),
    section('Rooms', rooms),
    section('Refused tokens', revocations, refuseTokensForm(shell, user)),
    credentials.element
  )
  return { title: 'User', element, refresh }
}

const section = <Row>(title: string, { element }: Table<Row>, ...more: HTMLElement[]) =>
  el('section', { class: 'card stack' }, el('h3', {}, title), element, ...more)

const devicesTable = (shell: Shell, user: string) =>
  createTable<AdminDevice>({
    caption: 'Devices',
    empty: 'No device is known now.',
    keyOf: ({ device }) => device,
    columns: [
      { head: 'Device', text: ({ device }) => device },
      {
        head: 'State',
        text: ({ online }) => (online ? 'online' : 'offline'),
        state: ({ online }) => (online ? 'up' : 'away')
      },
      { head: 'Node', text: ({ node }) => node ?? '' },
      { head: 'Status', text: ({ status }) => status ?? '' },
      { head: 'Last seen', text: ({ lastSeenAt }) => timeText(lastSeenAt) }
    ],
    actions: ({ device }) => [
      {
        label: 'Sign out',
        name: `Sign out device ${device}`,
        isDangerous: true,
        run: () => signOut(shell, user, device)
      }
    ]
  })

const callsTable = () =>
  createTable<Call>({
    caption: 'Live calls',
    empty: 'No live calls.',
    keyOf: ({ callId }) => callId,
    columns: [
      { head: 'Call', text: ({ callId }) => callId, href: ({ callId }) => `#calls/${part(callId)}` },
      { head: 'State', text: ({ state }) => state, state: ({ state }) => state },
      { head: 'Caller', text: ({ caller }) => partyText(caller) },
      { head: 'Created', text: ({ createdAt }) => timeText(createdAt) }
    ]
  })

const roomsTable = () =>
  createTable<AdminMembership>({
    caption: 'Rooms',
    empty: 'In no room.',
    keyOf: ({ roomId, participantId }) => `${roomId} ${participantId}`,
    columns: [
      { head: 'Room', text: ({ roomId }) => roomId, href: ({ roomId }) => `#rooms/${part(roomId)}` },
      { head: 'Device', text: ({ device }) => device },
      { head: 'Participant', text: ({ participantId }) => participantId }
    ]
  })

const revocationsTable = (shell: Shell, user: string) =>
  createTable<Revocation>({
    caption: 'Refused tokens',
    empty: 'All valid tokens are accepted.',
    keyOf: ({ device }) => JSON.stringify(device),
    columns: [
      { head: 'Of', text: ({ device }) => (device === null ? 'all devices' : `device ${device}`) },
      { head: 'Issued until', text: ({ issuedAfter }) => timeText(issuedAfter) },
      { head: 'Because', text: ({ kind }) => (kind === 'sign_out' ? 'signed out' : 'refused by an operator') },
      { head: 'Until', text: ({ expiresAt }) => timeText(expiresAt) }
    ],
    actions: revocation => [accept(shell, user, revocation)]
  })

/** `device`: null for all of them. */
function signOut({ api, act }: Shell, user: string, device: string | null): void {
  const which = device === null ? ['All devices of '] : ['Device ', quoted(device), ' of ']
  const effect =
    ' lose their streams, calls and rooms, and the tokens issued until now are refused. With a new token a device is signed in again.'
  act({
    question: {
      title: device === null ? 'Sign this user out?' : 'Sign this device out?',
      text: [...which, quoted(user), device === null ? effect : effect.replace('lose their', 'loses its')],
      label: 'Sign out'
    },
    run: async () => {
      if (device === null) await api.send('POST', `/admin/users/${part(user)}/all-devices/sign-out`)
      else await api.send('POST', `/admin/users/${part(user)}/devices/${part(device)}/sign-out`)
      return device === null ? 'The user is signed out.' : 'The device is signed out.'
    }
  })
}

function accept({ api, act }: Shell, user: string, { device }: Revocation): RowAction {
  const whose = device === null ? 'all devices' : `device ${device}`
  const question = {
    title: 'Accept these tokens again?',
    text: ['Tokens of ', quoted(user), ' for ', quoted(whose), ' that were refused are accepted until they expire.'],
    label: 'Accept'
  }
  const run = async () => {
    if (device === null) await api.send('DELETE', `/admin/users/${part(user)}/all-devices/tokens`)
    else await api.send('DELETE', `/admin/users/${part(user)}/devices/${part(device)}/tokens`)
    return 'The tokens are accepted again.'
  }
  return { label: 'Accept', name: `Accept tokens of ${whose}`, isDangerous: true, run: () => act({ question, run }) }
}
