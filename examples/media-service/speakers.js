// The active speaker of a session, as a notice. ActiveSpeakerObserver says who speaks most, AudioLevelObserver whether anyone speaks.

const INTERVAL_MS = 1000
/** dBov. Below is silence. */
const THRESHOLD = -60

export class Speakers {
  #session
  #levels
  #dominance
  /** Participant ids. */
  #dominant = null
  #loudest = null
  #isSilent = true
  #reported = null

  static async open(session) {
    const speakers = new Speakers()
    speakers.#session = session
    const router = session.routers.main.media
    speakers.#levels = await router.createAudioLevelObserver({
      maxEntries: 1,
      threshold: THRESHOLD,
      interval: INTERVAL_MS
    })
    speakers.#dominance = await router.createActiveSpeakerObserver({ interval: INTERVAL_MS / 2 })
    speakers.#listen()
    return speakers
  }

  #listen() {
    this.#dominance.on('dominantspeaker', ({ producer }) => {
      this.#dominant = producer?.appData.participantId ?? null
      this.#report()
    })
    this.#levels.on('volumes', ([{ producer }]) => {
      this.#isSilent = false
      this.#loudest = producer.appData.participantId
      this.#report()
    })
    this.#levels.on('silence', () => {
      this.#isSilent = true
      this.#report()
    })
  }

  /** Only producers of the main router are observed; those of WHIP are there too. */
  async add({ media, router }) {
    if (media.kind !== 'audio' || router !== this.#session.routers.main) return
    await Promise.all([this.#levels, this.#dominance].map(each => each.addProducer({ producerId: media.id })))
    media.observer.once('close', () => {
      if (this.#dominant === media.appData.participantId) this.#dominant = null
    })
  }

  #report() {
    const participantId = this.#isSilent ? null : (this.#dominant ?? this.#loudest)
    if (participantId === this.#reported) return
    this.#reported = participantId
    this.#session.notices.set('active_speaker', { type: 'active_speaker', participantId })
  }
}
