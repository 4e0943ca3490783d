// Everything that one participant has in a session.
import { Resources } from './resources.js'

export class Participant {
  /** @param {string} id @param {number} since the version of the room at the first transport @param limits `limits` of openSession */
  constructor(id, since, limits) {
    this.id = id
    this.since = since
    this.transports = new Resources('transport', limits.transports)
    this.producers = new Resources('producer', limits.producers)
    this.consumers = new Resources('consumer', limits.consumers)
    this.dataProducers = new Resources('data producer', limits.dataProducers)
    this.dataConsumers = new Resources('data consumer', limits.dataConsumers)
  }

  close() {
    // Closing a transport closes what is on it.
    this.transports.closeAll()
    for (const each of [this.producers, this.consumers, this.dataProducers, this.dataConsumers]) each.closeAll()
  }
}
