/** Merges what two have changed at once, member by member. It knows no page and no network. */

/** @typedef {{type: string, id: string}} Identifier */

/** @typedef {Identifier | Identifier[] | null} Linkage */

/**
 * @typedef {object} State of a resource; a member that is left out says nothing, and counts as
 *   unchanged
 * @property {Record<string, unknown>} [attributes]
 * @property {Record<string, {data?: Linkage}>} [relationships]
 */

/**
 * @typedef {object} Conflict both sides have changed a member, in different ways
 * @property {string} member
 * @property {"attribute" | "to-one" | "to-many"} kind
 * @property {any} was undefined if it is not known
 * @property {any} theirs
 * @property {any} yours
 */

/**
 * @typedef {object} Merge
 * @property {Required<State>} merged holds yours where there is a conflict
 * @property {string[]} taken the members that are not as in yours, but as they have changed them
 * @property {Conflict[]} conflicts
 */

/**
 * @typedef {object} Rules of a kind of members
 * @property {(value: any) => Conflict["kind"]} kindOf
 * @property {(value: any) => unknown} comparable makes equal values deeply equal
 * @property {(value: any) => boolean} isElement whether arrays of such values are sets
 */

/** @type {Rules} */
const ATTRIBUTES = {
  kindOf: () => "attribute",
  comparable: (value) => value,
  isElement: (value) => typeof value === "string",
};

/** @type {Rules} */
const LINKAGES = {
  kindOf: (value) => (Array.isArray(value) ? "to-many" : "to-one"),
  comparable: keysOf,
  isElement: () => true,
};

/**
 * Merge two changes of a resource. Attributes and to-one linkage are values: who alone has changed
 * one wins. To-many linkage is a set: each side's additions and removals are kept, so that it is
 * only in conflict where it is not known what it was. So are arrays of texts without repetition,
 * the order of which means nothing where both sides have changed them.
 * @param {State} was what both began with
 * @param {State} theirs what is stored now
 * @param {State} yours what is to be stored
 * @returns {Merge} shares values with its arguments, and changes none of them
 */
export function merge(was, theirs, yours) {
  const states = [was, theirs, yours];
  const fields = mergeAll(states.map(attributesOf), ATTRIBUTES);
  const linkages = mergeAll(states.map(linkagesOf), LINKAGES);
  return {
    merged: {
      attributes: Object.fromEntries(fields.merged),
      relationships: relationshipsOf(linkages.merged),
    },
    taken: [...fields.taken, ...linkages.taken],
    conflicts: [...fields.conflicts, ...linkages.conflicts],
  };
}

/**
 * Put what has been chosen into what was merged.
 * @param {Merge} merge
 * @param {Record<string, "theirs" | "yours">} choices one for each conflict
 * @returns {Required<State>}
 */
export function settle({ merged, conflicts }, choices) {
  const attributes = attributesOf(merged);
  const linkages = linkagesOf(merged);
  for (const { member, kind, theirs } of conflicts) {
    if (choices[member] === "theirs") {
      (kind === "attribute" ? attributes : linkages).set(member, theirs);
    }
  }
  return {
    attributes: Object.fromEntries(attributes),
    relationships: relationshipsOf([...linkages]),
  };
}

/**
 * A state with others of its members, or more of them.
 * @param {State} state
 * @param {State} changed
 * @returns {Required<State>}
 */
export function together(state, changed) {
  return {
    attributes: Object.fromEntries([...attributesOf(state), ...attributesOf(changed)]),
    relationships: relationshipsOf([...linkagesOf(state), ...linkagesOf(changed)]),
  };
}

/**
 * What is to be sent, so that what is stored becomes what is wanted.
 * @param {State} stored
 * @param {State} wanted
 * @returns {State} the members that differ; without any, it has no properties
 */
export function changes(stored, wanted) {
  const attributes = differing(attributesOf(stored), attributesOf(wanted), ATTRIBUTES);
  const linkages = differing(linkagesOf(stored), linkagesOf(wanted), LINKAGES);
  return {
    ...(attributes.length ? { attributes: Object.fromEntries(attributes) } : {}),
    ...(linkages.length ? { relationships: relationshipsOf(linkages) } : {}),
  };
}

/**
 * @param {Map<string, unknown>} stored
 * @param {Map<string, unknown>} wanted
 * @param {Rules} rules
 */
function differing(stored, wanted, { comparable }) {
  return [...wanted].filter(
    ([name, value]) => !same(comparable(stored.get(name)), comparable(value)),
  );
}

/**
 * What of a set is missing in another.
 * @template T
 * @param {T[]} set texts or identifiers
 * @param {T[]} other
 * @returns {T[]}
 */
export function missing(set, other) {
  const found = new Set(other.map(keyOf));
  return set.filter((each) => !found.has(keyOf(each)));
}

/**
 * @param {State} state
 * @returns {Map<string, unknown>}
 */
function attributesOf({ attributes = {} }) {
  return new Map(Object.entries(attributes));
}

/**
 * @param {[string, any][]} linkages
 * @returns {Record<string, {data: Linkage}>}
 */
function relationshipsOf(linkages) {
  return Object.fromEntries(linkages.map(([name, data]) => [name, { data }]));
}

/**
 * @param {State} state
 * @returns {Map<string, unknown>} without relationships of which only links are known
 */
function linkagesOf({ relationships = {} }) {
  const known = Object.entries(relationships).filter(([, { data }]) => data !== undefined);
  return new Map(known.map(([name, { data }]) => [name, data]));
}

/**
 * @param {Map<string, unknown>[]} states was, theirs and yours
 * @param {Rules} rules
 */
function mergeAll(states, rules) {
  /** @type {[string, unknown][]} */
  const merged = [];
  /** @type {string[]} */
  const taken = [];
  /** @type {Conflict[]} */
  const conflicts = [];
  for (const member of new Set(states.flatMap((state) => [...state.keys()]))) {
    const known = states[0]?.get(member);
    const values = states.map((state) => (state.has(member) ? state.get(member) : known));
    const [was, theirs, yours] = values;
    const found = mergeOne(was, theirs, yours, rules);
    merged.push([member, found.value]);
    if (found.isTaken) taken.push(member);
    if (found.isConflict) conflicts.push({ member, kind: rules.kindOf(yours), was, theirs, yours });
  }
  return { merged, taken, conflicts };
}

/**
 * @param {any} was
 * @param {any} theirs
 * @param {any} yours
 * @param {Rules} rules
 * @returns {{value: unknown, isTaken?: boolean, isConflict?: boolean}}
 */
function mergeOne(was, theirs, yours, { comparable, isElement }) {
  const equal = (/** @type {any} */ one, /** @type {any} */ other) =>
    same(comparable(one), comparable(other));
  if (equal(was, theirs) || equal(theirs, yours)) return { value: yours };
  if (equal(was, yours)) return { value: theirs, isTaken: true };
  const areSets = [was, theirs, yours].every((value) => isSet(value, isElement));
  if (!areSets) return { value: yours, isConflict: true };
  const added = missing(missing(theirs, was), yours);
  const kept = missing(yours, missing(was, theirs));
  return { value: [...kept, ...added], isTaken: added.length > 0 || kept.length < yours.length };
}

/**
 * @param {unknown} value
 * @param {Rules["isElement"]} isElement
 */
function isSet(value, isElement) {
  if (!Array.isArray(value) || !value.every(isElement)) return false;
  return new Set(value.map(keyOf)).size === value.length;
}

/**
 * What tells an element of a set from others.
 * @param {any} element a text or an identifier
 * @returns {string}
 */
function keyOf(element) {
  return typeof element === "string" ? element : `${element.type} ${element.id}`;
}

/**
 * @param {any} linkage
 * @returns {unknown} what it leads to, without `meta` and in one order
 */
function keysOf(linkage) {
  return Array.isArray(linkage) ? linkage.map(keyOf).sort() : linkage && keyOf(linkage);
}

/**
 * Whether two values of JSON are equal.
 * @param {any} one
 * @param {any} other
 * @returns {boolean}
 */
function same(one, other) {
  if (one === other) return true;
  if (!one || !other || typeof one !== "object" || typeof other !== "object") return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && same(one[name], other[name]))
  );
}
