// The server of a state cannot be worked with just now: it is restarted, unreachable, full or read-only. Nothing of the
// unit in hand happened, and it is done again when the server is back; until then nobody gets an answer. Who does not
// wait for it takes it for what it is to them: the state fails.
import { StateFailure } from './state-failure.ts';

export class StateAway extends StateFailure {}
