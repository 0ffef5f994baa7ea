/**
 * Merges at random, and holds each merge against what must be true of it. Prints, as JSON, for each
 * property how often it was looked at, and the first merge that broke it.
 *
 * node merge.mjs COUNT SEED
 */

import { changes, merge, settle, together } from "../../users_service/ui/static/forms/merge.js";

const [count, seed] = process.argv.slice(2).map(Number);

// --- states at random ---

let state = seed;

/** A number from 0 to below `limit` (mulberry32). */
function below(limit) {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
}

const oneOf = (values) => values[below(values.length)];
const someOf = (values) => shuffled(values.filter(() => below(2)));

function shuffled(values) {
  const left = [...values];
  return values.map(() => left.splice(below(left.length), 1)[0]);
}

const TEXTS = ["users:read", "users:update", "groups:read", "groups:delete", "*"];
const RELATED = ["groups 1", "groups 2", "groups 3", "roles 1", "roles 2"].map((text) => {
  const [type, id] = text.split(" ");
  return { type, id };
});
const identifier = (related) => ({ ...related, ...(below(4) ? {} : { meta: { at: below(3) } }) });

// Few values, so that equal changes on both sides are frequent.
const ATTRIBUTES = {
  name: () => oneOf(["", "Ada", "Bo", null]),
  active: () => oneOf([true, false]),
  amount: () => oneOf([0, 1, "1", null, false]),
  constructor: () => oneOf(["a", "b", "c"]),
  settings: () => oneOf([{}, { a: 1, b: [2] }, { b: [2], a: 1 }, { a: 1, b: 2 }, { 0: 2 }, [2]]),
  permissions: () => someOf(TEXTS),
  tags: () => oneOf([["a"], ["a", "b"], ["b", "a"], ["a", "a"], ["a", 1], [], null]),
  pairs: () => someOf([{ type: "a", id: "1", n: below(2) }, { type: "b", id: "1" }]),
};
const RELATIONSHIPS = {
  manager: () => oneOf([null, ...RELATED.map(identifier)]),
  groups: () => someOf(RELATED).map(identifier),
  toString: () => someOf(RELATED).map(identifier),
};

/** Members at random; without `base` all of them anew, else some of them changed. */
function membersOf(makers, wrap, base) {
  const members = [];
  for (const [name, make] of makers) {
    if (below(10) === 0) continue;
    const kept = base && Object.hasOwn(base, name) && below(2);
    members.push([name, kept ? structuredClone(base[name]) : wrap(make())]);
  }
  return Object.fromEntries(members);
}

const linkage = (data) => (below(4) ? { data } : {});

/** What a resource was, theirs and yours; all three have some members of those that there are. */
function randomStates() {
  const attributes = Object.entries(ATTRIBUTES).filter(() => below(3) === 0);
  const relationships = Object.entries(RELATIONSHIPS).filter(() => below(3) === 0);
  const make = (base) =>
    frozen({
      attributes: membersOf(attributes, (value) => value, base?.attributes),
      relationships: membersOf(relationships, linkage, base?.relationships),
    });
  const was = make();
  return [was, make(was), make(was)];
}

/** A change of an argument throws then. */
function frozen(value) {
  const mayChange = value && typeof value === "object" && !Object.isFrozen(value);
  if (mayChange) Object.values(Object.freeze(value)).forEach(frozen);
  return value;
}

// --- the model: texts that are equal if and only if the values are ---

function textOf(value) {
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(textOf)}]`;
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${textOf(value[name])}`)}}`;
}

const elementOf = (element) =>
  textOf(typeof element === "string" ? element : [element.type, element.id]);
const setOf = (values) => textOf([...new Set(values.map(elementOf))].sort());

function meaningOf(kind, value) {
  if (value === undefined) return "unknown";
  if (kind === "attribute" || value === null) return textOf(value);
  return kind === "to-many" ? setOf(value) : elementOf(value);
}

/** The members of three states as plain records: what each says, and what it means. */
function membersIn(states) {
  const found = new Map();
  for (const part of ["attributes", "relationships"]) {
    for (const [index, state] of states.entries()) {
      for (const [name, value] of Object.entries(state[part])) {
        const said = part === "attributes" ? value : value.data;
        if (said === undefined) continue;
        if (!found.has(name)) found.set(name, { name, part, values: [] });
        found.get(name).values[index] = said;
      }
    }
  }
  return [...found.values()].map(({ name, part, values: [was, theirs = was, yours = was] }) => {
    const isMany = [was, theirs, yours].some(Array.isArray);
    const kind = part === "attributes" ? "attribute" : isMany ? "to-many" : "to-one";
    const meanings = [was, theirs, yours].map((value) => meaningOf(kind, value));
    const areSets = [was, theirs, yours].every((value) => isSet(kind, value));
    const changed = whoChanged(meanings, areSets);
    return { name, part, kind, was, theirs, yours, meanings, areSets, changed };
  });
}

function isSet(kind, value) {
  if (!Array.isArray(value)) return false;
  if (kind === "to-many") return true;
  return value.every((each) => typeof each === "string") && new Set(value).size === value.length;
}

/** Which of them has changed it: `nobody`, `they`, `you`, `both alike`, `both`, `both a set`. */
function whoChanged([was, theirs, yours], areSets) {
  if (was === theirs) return was === yours ? "nobody" : "you";
  if (was === yours) return "they";
  if (theirs === yours) return "both alike";
  return areSets ? "both a set" : "both";
}

// --- what must be true ---

const of = (state, { name, part }) => {
  const said = Object.hasOwn(state[part] ?? {}, name) ? state[part][name] : undefined;
  return part === "attributes" ? said : said?.data;
};
const namesIn = ({ attributes = {}, relationships = {} }) => [
  ...Object.keys(attributes),
  ...Object.keys(relationships),
];
const means = (state, member) => meaningOf(member.kind, of(state, member));

/** Each returns undefined if it has nothing to say of a member, else whether it holds. */
const ofEachMember = {
  "your change is kept": (member, { merged, taken, asked }) =>
    ["nobody", "you"].includes(member.changed)
      ? textOf(of(merged, member)) === textOf(member.yours) &&
        !taken.has(member.name) &&
        !asked.has(member.name)
      : undefined,
  "their change is taken over, and said": (member, { merged, taken, asked }) =>
    member.changed === "they"
      ? means(merged, member) === member.meanings[1] &&
        taken.has(member.name) &&
        !asked.has(member.name)
      : undefined,
  "an equal change is no conflict": (member, { merged, taken, asked }) =>
    member.changed === "both alike"
      ? means(merged, member) === member.meanings[2] &&
        !taken.has(member.name) &&
        !asked.has(member.name)
      : undefined,
  "an overlap is asked, and yours is not lost": (member, { merged, taken, asked }) =>
    member.changed === "both"
      ? asked.get(member.name) ===
          textOf([member.kind, member.was ?? "unknown", member.theirs, member.yours]) &&
        textOf(of(merged, member)) === textOf(member.yours) &&
        !taken.has(member.name)
      : undefined,
  "each addition to a set and removal from it is kept": (member, { merged, asked }) => {
    if (member.changed !== "both a set") return undefined;
    const sets = [member.was, member.theirs, member.yours];
    const [was, theirs, yours] = sets.map((set) => set.map(elementOf));
    const result = of(merged, member).map(elementOf);
    const wanted = new Set(
      [...was, ...theirs, ...yours].filter((each) =>
        was.includes(each)
          ? theirs.includes(each) && yours.includes(each)
          : theirs.includes(each) || yours.includes(each),
      ),
    );
    const isRight = result.length === wanted.size && result.every((each) => wanted.has(each));
    return isRight && !asked.has(member.name);
  },
  "what they did to a set is said": (member, { merged, taken }) =>
    member.changed === "both a set"
      ? taken.has(member.name) === (setOf(of(merged, member)) !== setOf(member.yours))
      : undefined,
  "sides change places": (member, { merged, asked }, { mirrored }) => {
    const isAsked = mirrored.conflicts.some(({ member: name }) => name === member.name);
    if (isAsked !== asked.has(member.name)) return false;
    if (isAsked) return textOf(of(mirrored.merged, member)) === textOf(member.theirs);
    if (member.areSets) return setOf(of(mirrored.merged, member)) === setOf(of(merged, member));
    return means(mirrored.merged, member) === means(merged, member);
  },
  "what differs from theirs is sent": (member, _, { settled, sent }) => {
    const wanted = means(settled, member);
    return means(sent, member) === (wanted === member.meanings[1] ? "unknown" : wanted);
  },
  "what is chosen is stored, and nothing else changes": (member, { merged, asked }, more) => {
    const isAsked = asked.has(member.name);
    const wanted = isAsked ? member[more.chosen[member.name]] : of(merged, member);
    return textOf(of(more.settled, member)) === textOf(wanted);
  },
};

/** Each returns whether it holds of a merge as a whole. */
const ofAll = {
  "no member is lost, made up or named twice": (members, { merged, taken, conflicts }, more) => {
    const names = members.map(({ name }) => name).sort();
    const named = [...taken, ...conflicts.map(({ member }) => member)];
    return (
      textOf(namesIn(merged).sort()) === textOf(names) &&
      textOf(namesIn(more.settled).sort()) === textOf(names) &&
      new Set(named).size === named.length &&
      [...named, ...namesIn(more.sent)].every((name) => names.includes(name))
    );
  },
};

const eachMemberOf = Object.entries(ofEachMember);
const allOf = Object.entries(ofAll);
const names = [...eachMemberOf, ...allOf].map(([name]) => name);
const properties = Object.fromEntries(names.map((name) => [name, { looked: 0, broken: 0 }]));

function note(property, holds, example, member) {
  if (holds === undefined) return;
  properties[property].looked += 1;
  if (holds) return;
  properties[property].broken += 1;
  properties[property].first ??= { member, ...example };
}

for (let number = 0; number < count; number += 1) {
  const [was, theirs, yours] = randomStates();
  const example = { number, was, theirs, yours };
  const result = frozen(merge(was, theirs, yours));
  const asked = result.conflicts.map((each) => [
    each.member,
    textOf([each.kind, each.was ?? "unknown", each.theirs, each.yours]),
  ]);
  const found = { merged: result.merged, taken: new Set(result.taken), asked: new Map(asked) };
  const chosen = Object.fromEntries(asked.map(([name]) => [name, oneOf(["theirs", "yours"])]));
  const settled = frozen(settle(result, chosen));
  const more = {
    mirrored: frozen(merge(was, yours, theirs)),
    chosen,
    settled,
    sent: frozen(changes(together(was, theirs), settled)),
  };
  const members = membersIn([was, theirs, yours]);
  for (const member of members) {
    for (const [name, holds] of eachMemberOf) {
      note(name, holds(member, found, more), example, member.name);
    }
  }
  for (const [name, holds] of allOf) note(name, holds(members, result, more), example);
}

console.log(JSON.stringify(properties));
