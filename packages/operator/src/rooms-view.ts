// Rooms: those that are open, and one of them with its participants.
import { button, el } from '../../page-parts/src/dom.js'
import type { AdminRoomReply, Participant, Room } from './api.js'
import { bansPart } from './bans-part.js'
import { quoted } from './confirm.js'
import { createFacts, type Fact } from './facts.js'
import { findForm } from './find-form.js'
import { createListing } from './listing.js'
import { part } from './requests.js'
import { createTable } from './table.js'
import { jsonText, partyText, timeText } from './texts.js'
import type { OpenView, Shell, View } from './view.js'

export const openRooms: OpenView = (shell, [roomId]) =>
  roomId === undefined ? openRoomsView(shell) : roomView(shell, roomId)

const closeRoom = ({ api, act }: Shell, roomId: string) =>
  act({
    question: {
      title: 'Close this room?',
      text: [
        'Everyone leaves room ',
        quoted(roomId),
        ' at once, and its invitations end. Users who may create it can create it again.'
      ],
      label: 'Close room'
    },
    run: async () => {
      await api.send('DELETE', `/admin/rooms/${part(roomId)}`)
      return 'The room is closed.'
    }
  })

interface Removal {
  readonly roomId: string
  readonly participant: Participant
  readonly ban: boolean
}

function remove({ api, act }: Shell, { roomId, participant, ban }: Removal): void {
  const { participantId, user, device } = participant
  const effect = ban
    ? [' leaves room ', quoted(roomId), ' with all devices, and cannot enter it again until the ban is lifted.']
    : [' leaves room ', quoted(roomId), ' with the device ', quoted(device), '. The user may join again.']
  act({
    question: {
      title: ban ? 'Ban this user from the room?' : 'Remove this participant?',
      text: [quoted(user), ...effect],
      label: ban ? 'Ban user' : 'Remove participant'
    },
    run: async () => {
      const path = `/admin/rooms/${part(roomId)}/participants/${part(participantId)}` as const
      await api.send('DELETE', path, { query: { ban } })
      return ban ? 'The user is banned from the room.' : 'The participant is removed.'
    }
  })
}

function openRoomsView(shell: Shell): View {
  const { api, reread } = shell
  const listing = createListing<Room>({
    ...{ caption: 'Open rooms', empty: 'No room is open now.' },
    ...{ cursor: 'after', reread },
    keyOf: ({ roomId }) => roomId,
    columns: [
      { head: 'Room', text: ({ roomId }) => roomId, href: ({ roomId }) => `#rooms/${part(roomId)}` },
      { head: 'Participants', text: ({ participantCount }) => String(participantCount) },
      { head: 'Mode', text: ({ mode }) => mode },
      { head: 'Locked', text: ({ locked }) => (locked ? 'yes' : 'no') },
      { head: 'Created', text: ({ createdAt }) => timeText(createdAt) },
      { head: 'By', text: ({ createdBy }) => createdBy }
    ],
    actions: ({ roomId }) => [
      { label: 'Close', name: `Close room ${roomId}`, isDangerous: true, run: () => closeRoom(shell, roomId) }
    ],
    read: async (query, signal) => {
      const { rooms, next } = await api.send('GET', '/admin/rooms', { query, signal })
      // The server has no order, and rows must not move about.
      return { rows: rooms.toSorted((one, other) => one.roomId.localeCompare(other.roomId)), next }
    }
  })
  const element = el('div', { class: 'stack' }, findForm('Room by its id', 'rooms'))
  element.append(el('div', { class: 'card' }, listing.element))
  return { title: 'Open rooms', element, refresh: listing.refresh }
}

interface Person extends Participant {
  readonly isHidden: boolean
}

function roomView(shell: Shell, roomId: string): View {
  const facts = createFacts()
  const bans = bansPart(shell, roomId)
  const close = button('Close room', () => closeRoom(shell, roomId), { class: 'danger' })
  const people = createTable<Person>({
    caption: 'Participants',
    empty: 'Nobody is in the room.',
    keyOf: ({ participantId }) => participantId,
    columns: [
      { head: 'Participant', text: partyText, href: ({ user }) => `#users/${part(user)}` },
      {
        head: 'Role',
        text: ({ role, via, isHidden }) => [role, via, isHidden ? 'hidden' : ''].filter(Boolean).join(', ')
      },
      { head: 'State', text: ({ away }) => (away ? 'away' : 'connected'), state: ({ away }) => (away ? 'away' : 'up') },
      { head: 'Joined', text: ({ joinedAt }) => timeText(joinedAt) },
      { head: 'Id', text: ({ participantId }) => participantId }
    ],
    actions: participant =>
      [false, true].map(ban => ({
        label: ban ? 'Ban' : 'Remove',
        name: ban ? `Ban ${participant.user}` : `Remove ${partyText(participant)}`,
        isDangerous: true,
        run: () => remove(shell, { roomId, participant, ban })
      }))
  })
  const refresh = async (signal: AbortSignal) => {
    const reply = await shell.api.send('GET', `/admin/rooms/${part(roomId)}`, { signal })
    facts.show(factsOf(reply))
    const hidden = reply.hidden.map(each => ({ ...each, isHidden: true }))
    await bans.refresh(signal)
    people.show([...reply.participants.map(each => ({ ...each, isHidden: false })), ...hidden])
  }
  const element = el('div', { class: 'stack' }, el('a', { href: '#rooms' }, 'All open rooms'))
  element.append(
    el('section', { class: 'card stack', 'aria-label': 'Room' }, facts.element, el('div', {}, close)),
    el('section', { class: 'card stack' }, el('h3', {}, 'Participants'), people.element),
    bans.element
  )
  return { title: 'Room', element, refresh }
}

const factsOf = ({ room, producers }: AdminRoomReply): Fact[] => [
  ['Id', room.roomId],
  ['Mode', room.mode],
  ['Locked', room.locked ? 'yes' : 'no'],
  ['Recorded', room.record ? 'yes' : null],
  ['Most participants', String(room.maxParticipants)],
  ['Tracks', producers.length > 0 ? String(producers.length) : null],
  ['Created', timeText(room.createdAt)],
  ['Created by', room.createdBy],
  ['Metadata', Object.keys(room.metadata).length > 0 ? jsonText(room.metadata) : null]
]
