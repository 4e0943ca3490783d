// The bans of a room, and lifting one.
import { el } from '../../page-parts/src/dom.js'
import type { Ban } from './api.js'
import { quoted } from './confirm.js'
import { part } from './requests.js'
import { createTable } from './table.js'
import { partyText, timeText } from './texts.js'
import type { Part, Shell } from './view.js'

export function bansPart({ api, act }: Shell, roomId: string): Part {
  const lift = (user: string) =>
    act({
      question: {
        title: 'Lift this ban?',
        text: [quoted(user), ' may enter room ', quoted(roomId), ' again.'],
        label: 'Lift ban'
      },
      run: async () => {
        await api.send('DELETE', `/admin/rooms/${part(roomId)}/bans/${part(user)}`)
        return 'The ban is lifted.'
      }
    })
  const table = createTable<Ban>({
    caption: 'Bans',
    empty: 'No user is banned.',
    keyOf: ({ user }) => user,
    columns: [
      { head: 'User', text: ({ user }) => user, href: ({ user }) => `#users/${part(user)}` },
      { head: 'By', text: ({ by }) => (by === null ? 'an operator' : partyText(by)) },
      { head: 'Since', text: ({ at }) => timeText(at) },
      { head: 'Ends', text: ({ expiresInMs }) => (expiresInMs === null ? 'when lifted' : 'by itself') }
    ],
    actions: ({ user }) => [
      { label: 'Lift', name: `Lift the ban of ${user}`, isDangerous: true, run: () => lift(user) }
    ]
  })
  const refresh = async (signal: AbortSignal) => {
    const { bans } = await api.send('GET', `/admin/rooms/${part(roomId)}/bans`, { signal })
    table.show(bans.toSorted((one, other) => one.user.localeCompare(other.user)))
  }
  return { element: el('section', { class: 'card stack' }, el('h3', {}, 'Bans'), table.element), refresh }
}
