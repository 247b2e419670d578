// The server of a state cannot be worked with just now: it is restarted, unreachable, full or read-only. Nothing of the
// unit in hand happened, and it is done again when the server is back; until then nobody gets an answer.

export class StateAway extends Error {
  override readonly name = 'StateAway';
}
