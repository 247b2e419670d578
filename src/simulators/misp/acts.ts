// What happens at the partner's: the back door `/_sim/act`, one or several of the edits that people and servers make there.
import { loadEvent, tagsOf } from './load.ts';
import type { MispState, SimAttribute, SimEvent } from './state.ts';

/** `publish` after it, since any edit unpublishes: then `publish: true` on the act saves a second one. */
export type Act = { readonly publish?: boolean } & (
  | { readonly do: 'load'; readonly event: unknown }
  | { readonly do: 'publish' | 'unpublish' | 'delete_event' | 'hide' | 'show' | 'protect'; readonly event: string }
  | {
      readonly do: 'edit';
      readonly attribute: string;
      readonly set: Readonly<Record<string, unknown>>;
    }
  /** Soft: a tombstone stays. `sanitise` takes its content away. */
  | { readonly do: 'delete'; readonly attribute: string; readonly sanitise?: boolean }
  | { readonly do: 'restore' | 'hard_delete'; readonly attribute: string }
  /** Time passes, or somebody saw it: what the server's models say of it now. No edit. */
  | { readonly do: 'score'; readonly attribute: string; readonly scores: NonNullable<SimAttribute['decay']> }
  /** The object alone; its attributes stay as they are. */
  | { readonly do: 'delete_object'; readonly object: string }
  | { readonly do: 'tag_event'; readonly event: string; readonly tags: readonly unknown[] }
  | { readonly do: 'tag'; readonly attribute: string; readonly tags: readonly unknown[] }
);

export function act(state: MispState, what: Act): void {
  const touched = carryOut(state, what);
  if (what.publish === true && touched !== undefined) state.publish(touched);
}

function carryOut(state: MispState, what: Act): SimEvent | undefined {
  switch (what.do) {
    case 'load':
      return loadEvent(state, what.event as Readonly<Record<string, unknown>>);
    case 'publish':
    case 'unpublish':
    case 'delete_event':
    case 'hide':
    case 'show':
    case 'protect':
      return onEvent(state, eventOf(state, what.event), what.do);
    case 'tag_event': {
      const event = eventOf(state, what.event);
      event.tags = tagsOf(state, what.tags);
      state.touch(event);
      return event;
    }
    case 'delete_object': {
      for (const event of state.events.values()) {
        const object = event.objects.find((one) => one.uuid === what.object.toLowerCase());
        if (object === undefined) continue;
        object.deleted = true;
        state.touch(event);
        object.timestamp = event.timestamp;
        return event;
      }
      throw new Error(`no object ${what.object}`);
    }
    case 'score': {
      const attribute = attributeOf(state, what.attribute);
      attribute.decay = what.scores;
      return attribute.event;
    }
    case 'edit':
    case 'delete':
    case 'restore':
    case 'hard_delete':
    case 'tag':
      return onAttribute(state, attributeOf(state, what.attribute), what);
  }
}

function onEvent(state: MispState, event: SimEvent, what: string): SimEvent | undefined {
  switch (what) {
    case 'publish':
      state.publish(event);
      break;
    case 'unpublish':
      event.published = false;
      break;
    case 'delete_event':
      state.deleteEvent(event);
      return undefined;
    case 'protect':
      event.protected = true;
      break;
    default:
      event.hidden = what === 'hide';
  }
  return event;
}

function onAttribute(state: MispState, attribute: SimAttribute, what: Act): SimEvent {
  const { event } = attribute;
  switch (what.do) {
    case 'edit':
      set(attribute, what.set);
      break;
    case 'delete':
      attribute.deleted = true;
      if (what.sanitise === true)
        Object.assign(attribute, { type: 'comment', category: 'Other', value: 'deleted', toIds: false });
      break;
    case 'restore':
      attribute.deleted = false;
      break;
    case 'tag':
      attribute.tags = tagsOf(state, what.tags);
      break;
    case 'hard_delete':
      state.hardDelete(attribute);
      state.touch(event);
      return event;
    default:
  }
  state.edited(attribute);
  return event;
}

function set(attribute: SimAttribute, given: Readonly<Record<string, unknown>>): void {
  if (typeof given['value'] === 'string') attribute.value = given['value'];
  if (typeof given['type'] === 'string') attribute.type = given['type'];
  if (given['to_ids'] !== undefined) attribute.toIds = given['to_ids'] === true || given['to_ids'] === 1;
  if (typeof given['comment'] === 'string') attribute.comment = given['comment'];
  if (typeof given['last_seen'] === 'string') attribute.lastSeen = given['last_seen'];
}

function eventOf(state: MispState, name: string): SimEvent {
  const event = state.event(name);
  if (event === undefined) throw new Error(`no event ${name}`);
  return event;
}

function attributeOf(state: MispState, name: string): SimAttribute {
  const attribute = state.attribute(name);
  if (attribute === undefined) throw new Error(`no attribute ${name}`);
  return attribute;
}
