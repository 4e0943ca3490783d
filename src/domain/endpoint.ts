import type { Endpoint } from '../schemas/common.js'

/** The device alone, of an actor or a participant: this goes over the wire and into what is kept. */
export const endpoint = ({ user, device }: Endpoint): Endpoint => ({ user, device })
