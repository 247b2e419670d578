// Rows as JSON, in the shapes of misp core's JsonExport: numbers as texts, booleans as such, unless a quirk says otherwise.
import type { SimAttribute, SimEvent, SimObject, SimOrg, SimSighting, SimTag } from './state.ts';

export interface Shape {
  /** Numbers as numbers. */
  readonly numbers: boolean;
  /** Booleans as "1" and "0". */
  readonly flags: boolean;
}

type Out = Record<string, unknown>;

const number = (value: number | string, { numbers }: Shape): unknown => (numbers ? Number(value) : String(value));
const truth = (value: boolean, { flags }: Shape): unknown => (flags ? (value ? '1' : '0') : value);

const tagOut = (tag: SimTag): Out => ({
  id: tag.id,
  name: tag.name,
  colour: '#ffffff',
  numerical_value: null,
  is_galaxy: tag.name.startsWith('misp-galaxy:'),
  local: tag.local,
});

const inherited = ({ local: _none, ...tag }: Out): Out => ({ ...tag, inherited: 1 });

export const orgOut = ({ id, name, uuid }: SimOrg): Out => ({ id, name, uuid, local: id === '1' });

export function attributeOut(one: SimAttribute, shape: Shape): Out {
  return {
    id: number(one.id, shape),
    event_id: number(one.event.id, shape),
    object_id: number(one.object?.id ?? 0, shape),
    object_relation: one.relation,
    category: one.category,
    type: one.type,
    to_ids: truth(one.toIds, shape),
    uuid: one.uuid,
    timestamp: number(one.timestamp, shape),
    distribution: number(one.distribution, shape),
    sharing_group_id: number(one.sharingGroup, shape),
    comment: one.comment,
    deleted: truth(one.deleted, shape),
    disable_correlation: truth(false, shape),
    first_seen: one.firstSeen,
    last_seen: one.lastSeen,
    value: one.value,
    ...(one.tags.length === 0 ? {} : { Tag: one.tags.map(tagOut) }),
  };
}

/** An attribute as attributes/restSearch shows it: with its event in short, and of its object no name. */
export function foundAttributeOut(
  one: SimAttribute,
  shape: Shape,
  extra: {
    readonly eventTags: boolean;
    readonly context: boolean;
    readonly decay: boolean;
    readonly warnings: ((value: string) => unknown[]) | undefined;
    readonly sightings: readonly SimSighting[] | undefined;
  },
): Out {
  // Only of those that are meant for detection.
  const warnings = one.toIds ? (extra.warnings?.(one.value) ?? []) : [];
  const sightings = extra.sightings?.filter(({ attribute }) => attribute === one) ?? [];
  const { event, object } = one;
  const tags = [...one.tags.map(tagOut), ...(extra.eventTags ? event.tags.map((tag) => inherited(tagOut(tag))) : [])];
  const { Tag: _none, ...plain } = attributeOut(one, shape);
  return {
    ...plain,
    Event: {
      id: number(event.id, shape),
      info: event.info,
      org_id: '1',
      orgc_id: event.orgc.id,
      uuid: event.uuid,
      distribution: number(event.distribution, shape),
      publish_timestamp: number(event.publishTimestamp, shape),
      ...(extra.context
        ? {
            date: event.date,
            threat_level_id: event.threatLevel,
            published: truth(event.published, shape),
            analysis: event.analysis,
            timestamp: number(event.timestamp, shape),
            sharing_group_id: number(event.sharingGroup, shape),
            extends_uuid: '',
            Tag: event.tags.map(tagOut),
            Orgc: orgOut(event.orgc),
          }
        : {}),
    },
    ...(object === undefined
      ? {}
      : {
          Object: { id: String(object.id), distribution: object.distribution, sharing_group_id: object.sharingGroup },
        }),
    ...(tags.length === 0 ? {} : { Tag: tags }),
    ...(extra.decay && one.decay !== undefined ? { decay_score: one.decay } : {}),
    ...(warnings.length === 0 ? {} : { warnings }),
    ...(sightings.length === 0
      ? {}
      : { Sighting: sightings.map((by) => ({ ...sightingOut(by), Organisation: orgOut(by.org) })) }),
  };
}

function objectOut(object: SimObject, attributes: readonly SimAttribute[], shape: Shape): Out {
  return {
    id: number(object.id, shape),
    name: object.name,
    'meta-category': object.metaCategory,
    description: '',
    template_uuid: '',
    template_version: '1',
    event_id: number(attributes[0]?.event.id ?? 0, shape),
    uuid: object.uuid,
    timestamp: number(object.timestamp, shape),
    distribution: number(object.distribution, shape),
    sharing_group_id: number(object.sharingGroup, shape),
    comment: object.comment,
    deleted: truth(object.deleted, shape),
    first_seen: null,
    last_seen: null,
    ObjectReference: [],
    Attribute: attributes.map((one) => attributeOut(one, shape)),
  };
}

export function eventHeadOut(event: SimEvent, shape: Shape): Out {
  return {
    id: number(event.id, shape),
    orgc_id: event.orgc.id,
    org_id: '1',
    date: event.date,
    threat_level_id: event.threatLevel,
    info: event.info,
    published: truth(event.published, shape),
    uuid: event.uuid,
    attribute_count: number(event.attributes.filter((one) => !one.deleted).length, shape),
    analysis: event.analysis,
    timestamp: number(event.timestamp, shape),
    distribution: number(event.distribution, shape),
    proposal_email_lock: truth(false, shape),
    locked: truth(false, shape),
    publish_timestamp: number(event.publishTimestamp, shape),
    sharing_group_id: number(event.sharingGroup, shape),
    disable_correlation: truth(false, shape),
    extends_uuid: '',
    protected: event.protected ? true : null,
    event_creator_email: 'analyst@exchange.example',
    Org: { id: '1', name: 'EXCHANGE', uuid: event.orgc.uuid, local: true },
    Orgc: orgOut(event.orgc),
    ...(event.group === undefined ? {} : { SharingGroup: { ...event.group, description: '', roaming: false } }),
    Tag: event.tags.map(tagOut),
  };
}

/** The whole event; `shown` chooses among its attributes. */
export function eventOut(
  event: SimEvent,
  shape: Shape,
  shown: (one: SimAttribute) => boolean,
  deletedToo: boolean,
): Out {
  const attributes = event.attributes.filter(shown);
  const byObject = Map.groupBy(attributes, (one) => one.object?.uuid);
  const { Tag, ...head } = eventHeadOut(event, shape);
  return {
    Event: {
      ...head,
      Attribute: (byObject.get(undefined) ?? []).map((one) => attributeOut(one, shape)),
      ShadowAttribute: [],
      RelatedEvent: [],
      Galaxy: [],
      Object: event.objects
        .filter((one) => deletedToo || !one.deleted)
        .map((one) => objectOut(one, byObject.get(one.uuid) ?? [], shape)),
      EventReport: [],
      CryptographicKey: [],
      Tag,
    },
  };
}

export function sightingOut(one: SimSighting): Out {
  return {
    id: String(one.id),
    attribute_id: String(one.attribute.id),
    event_id: String(one.attribute.event.id),
    org_id: one.org.id,
    date_sighting: String(one.date),
    uuid: one.uuid,
    source: one.source,
    type: one.type,
  };
}
