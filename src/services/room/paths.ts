// What the path of a request names. A function of rooms or chat takes (context, actor, request), where the request has the members of the
// body or query and of the path. Routes write the path last, so that no member of a body can replace it.

export interface RoomPath {
  readonly roomId: string
}

export interface ParticipantPath extends RoomPath {
  readonly participantId: string
}

export interface InvitationPath extends RoomPath {
  readonly invitationId: string
}

export interface BanPath extends RoomPath {
  readonly user: string
}
