import { describe, expect, it } from 'vitest';
import { splitEvent, TOO_LONG } from './split.ts';

const MOST = 1000;
const split = async (text: string) => {
  const one = await splitEvent(Buffer.from(text), MOST);
  return one === undefined ? undefined : { ...one, attributes: [...one.attributes], objects: [...one.objects] };
};

describe('a whole event, taken apart', () => {
  it.each([
    '{"Event":{"uuid":"x","Attribute":[],"Object":[]}}',
    '{"Event":{"Attribute":[{"a":[1,2]},{"b":"]},{"}],"info":"[\\"Attribute\\":[","Object":[{"Attribute":[{"c":1}]}]}}',
    '{ "Event" : { "Object" : [ { "d" : null } ] , "Tag":[{"name":"tlp:red"}], "Attribute" : [ 1 , "\\\\" ] } , "more": 1 }',
    '{"Event":{"RelatedEvent":[{"Event":{"Attribute":[{"not":"ours"}]}}],"Attribute":[{"e":1}]}}',
    '\uFEFF{"Event":{"Attribute":[{"f":"é\uD83D\uDE00"}]}}',
    '{"Attribute":[{"not":"ours"}],"Event":{"Attribute":[{"g":1}],"Attribute":[{"h":1}]}}',
    '{"Event":{"uuid":"y"}}',
    '{"Ev\\u0065nt":{"Attribute":[{"i":1}]}}',
  ])('is what a parser makes of it: %s', async (text) => {
    const { Event } = JSON.parse(text.replace('\uFEFF', '')) as { Event: Record<string, unknown> };
    const { Attribute = [], Object: objects = [], ...head } = Event;

    expect(await split(text)).toEqual({ head, attributes: Attribute, objects });
  });

  it.each([
    '{"Event":{"Attribute":[{"a":1}',
    '{"Event":{"Attribute":[{"a":1}]',
    '{"Event":{"Attribute":[{"a":1}]}',
    '{"Event":{"Attribute":[{"a":1}],"info":"cut',
    '{"Event":{"Attribute":[{"a":1},]}}',
    '{"Event":{"Attribute":[{"a":}]}}',
    '',
  ])('is no JSON: %s', async (text) => {
    await expect(split(text)).rejects.toThrow(SyntaxError);
  });

  it('has a mark where an attribute is longer than any may be, also packed', async () => {
    const long = JSON.stringify({ value: 'x'.repeat(9 * 1024 * 1024) });

    expect((await split(`{"Event":{"Attribute":[{"a":1},${long},{"b":2}]}}`))?.attributes).toEqual([
      { a: 1 },
      TOO_LONG,
      { b: 2 },
    ]);
  });

  it('counts what stands around the lists, and not the lists', async () => {
    const many = JSON.stringify(Array.from({ length: MOST + 1 }, () => 0));

    expect((await split(`{"Event":{"Attribute":${many}}}`))?.attributes).toHaveLength(MOST + 1);
    expect(await split(`{"Event":{"RelatedEvent":${many}}}`)).toBeUndefined();
  });
});
