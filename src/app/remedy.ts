// What would have to be otherwise for a SIEM to hold a claim that it may not hold now. Read from the reason, which is
// all that the state's reader hands on; remedy.test.ts has every reason that policy can give.

const REMEDIES: readonly (readonly [RegExp, (found: readonly string[], siem: string) => string])[] = [
  [/^the partner marks it benign/, () => 'a new version from the partner that is not marked benign'],
  [
    /^refers to (marking-definition\S+?),? /,
    ([id = '']) => `a definition of ${id} from the partner that says what it asks for`,
  ],
  [/^refers to a (?:marking|level)/, () => 'a new version from the partner with markings that can be read'],
  [/^no TLP is stated, and unmarked/, () => 'a TLP from the partner, or policy.unmarked other than refuse'],
  [
    /^no TLP is stated, which counts as TLP:(\S+) /,
    ([level = ''], siem) =>
      `a TLP from the partner, or clearance: ${level.toLowerCase()} for ${siem} if it may hold that`,
  ],
  [
    /^only a label states a TLP, which counts as TLP:(\S+) /,
    ([level = ''], siem) =>
      `a new version from the partner without that label, or clearance: ${level.toLowerCase()} for ${siem} if it may hold that`,
  ],
  [
    /^TLP:(\S+) is above this SIEM's clearance/,
    ([level = ''], siem) => `clearance: ${level.toLowerCase()} for ${siem}, if it may hold that`,
  ],
  [
    /^PAP:(\S+) may not be written/,
    ([level = ''], siem) =>
      `hosting: on_premises for ${siem} if it stands there, or highest_pap: ${level.toLowerCase()} if a contract allows it`,
  ],
  [
    /^no PAP is stated, which counts as PAP:(\S+) and (?:may not be written|is above)/,
    ([level = ''], siem) =>
      `a PAP from the partner, policy.without_pap: green if the partner means that, or highest_pap: ${level.toLowerCase()} for ${siem} if it may hold that`,
  ],
  [
    /^PAP:(\S+) is above this SIEM's highest PAP/,
    ([level = ''], siem) => `highest_pap: ${level.toLowerCase()} for ${siem}, if it may hold that`,
  ],
  [
    /^it is classified (\w+), above/,
    ([level = '']) =>
      `a new version from the partner, or policy.max_classification: ${level}, if this network may hold it`,
  ],
  [/^it is data of an exercise/, () => 'a new version from the partner that is none of an exercise'],
  [
    /^the network \S+\/(\d+) is wider than/,
    ([prefix = '']) => `policy.widest_network of at most ${prefix}, if so wide a network shall be armed`,
  ],
  [/^no confidence is stated/, () => 'a confidence from the partner, or policy.unknown_confidence: accept'],
  [
    /^confidence (\d+) is below/,
    ([confidence = '']) => `a higher confidence from the partner, or policy.min_confidence of at most ${confidence}`,
  ],
  [/^exchange (\S+) is no longer configured/, ([name = '']) => `the exchange ${name} in the configuration`],
  [/ does not listen to exchange (\S+)/, ([name = ''], siem) => `${name} among the exchanges of ${siem}`],
  [/^(.*\(never-block list .*)$/, ([text = '']) => unlisted(text)],
  [/ takes no (\S+)$/, ([type = ''], siem) => `${type} among the observables of ${siem}, if it can hold them`],
];

export function remedyFor(reason: string, siem: string): string | undefined {
  for (const [pattern, say] of REMEDIES) {
    const found = pattern.exec(reason);
    if (found !== null) return say(found.slice(1), siem);
  }
  return undefined;
}

/** Every list that refuses the value would have to let it pass. */
function unlisted(reason: string): string {
  const lists = [...reason.matchAll(/\(never-block list ([\w.-]+)\)/g)].map(([, list]) => list);
  const ground = reason.includes('is our own ground');
  const noted = lists
    .filter((list) => list !== 'configured' && !(ground && list === 'own_hosts'))
    .map((list) => `${list}: note`);
  const ways = [
    ...(ground ? ['another configuration of own, if it is none of ours'] : []),
    ...(lists.includes('configured') ? ['another never_block in policy, which names it'] : []),
    ...(noted.length > 0
      ? [`policy.never_block.list_actions: { ${noted.join(', ')} }, if it shall stand on watchlists all the same`]
      : []),
  ];
  return ways.join(', and ');
}
