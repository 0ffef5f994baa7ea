/** The state of a list: in the URL of the view, and as a request to the API. */

/**
 * @typedef {object} Condition
 * @property {string} path a field or a relationship
 * @property {string} op an operator of the API's filters
 * @property {string} value ids of a relationship are separated by commas
 */

/**
 * @typedef {object} ListState
 * @property {string} search
 * @property {string} sort
 * @property {Condition[]} conditions
 * @property {boolean} any whether one condition is enough
 * @property {string[]} columns
 * @property {string} after a cursor
 * @property {string} before a cursor
 * @property {number} size
 * @property {boolean} total whether to count
 */

/** @typedef {import("../core/model.js").Resource} Resource */

const SIZE = 50;
const SEPARATOR = "~";

/**
 * Read the state out of the query of a view's URL. What is not known there is left out.
 * @param {Resource} resource
 * @param {URLSearchParams} query
 * @returns {ListState}
 */
export function stateOf(resource, query) {
  const columns = (query.get("columns") ?? "").split(",").filter((name) => isColumn(resource, name));
  const sort = query.get("sort") ?? resource.sort;
  const size = Number(query.get("size"));
  return {
    search: query.get("q") ?? "",
    sort: resource.fields.get(sort.replace(/^-/, ""))?.isSortable ? sort : "",
    conditions: query.getAll("where").flatMap((text) => conditionOf(resource, text)),
    any: query.get("match") === "any",
    columns: columns.length ? columns : resource.columns.filter((name) => isColumn(resource, name)),
    after: query.get("after") ?? "",
    before: query.get("before") ?? "",
    size: Number.isInteger(size) && size > 0 && size <= 1000 ? size : SIZE,
    total: query.get("total") === "true",
  };
}

/**
 * Whether a list can show something as a column: a field that can be read, or a related resource.
 * @param {Resource} resource
 * @param {string} name
 */
export function isColumn(resource, name) {
  const relationship = resource.relationships.get(name);
  return relationship ? !relationship.isMany : Boolean(resource.fields.get(name)?.isReadable);
}

/**
 * @param {Resource} resource
 * @param {string} text
 * @returns {Condition[]} none if it is not known
 */
function conditionOf(resource, text) {
  const [path = "", op = "", ...rest] = text.split(SEPARATOR);
  const known = resource.relationships.has(path) || resource.fields.get(path)?.operators.has(op);
  return known && op in FUNCTIONS ? [{ path, op, value: rest.join(SEPARATOR) }] : [];
}

/**
 * Write the state as the query of a view's URL. What is as usual is left out.
 * @param {Resource} resource
 * @param {ListState} state
 */
export function queryOf(resource, state) {
  const query = new URLSearchParams();
  const usual = stateOf(resource, query);
  if (state.search) query.set("q", state.search);
  if (state.sort !== usual.sort) query.set("sort", state.sort);
  for (const { path, op, value } of state.conditions) {
    query.append("where", [path, op, value].join(SEPARATOR));
  }
  if (state.any && state.conditions.length) query.set("match", "any");
  if (state.columns.join() !== usual.columns.join()) query.set("columns", state.columns.join());
  if (state.after) query.set("after", state.after);
  if (state.before) query.set("before", state.before);
  if (state.size !== usual.size) query.set("size", String(state.size));
  if (state.total) query.set("total", "true");
  return query;
}

/**
 * The columns that the reader may see, of those that are wanted.
 * @param {Resource} resource
 * @param {ListState} state
 * @param {Set<string>} hidden fields that the reader may not read
 */
export function columnsOf(resource, state, hidden) {
  const columns = state.columns.filter((name) => !hidden.has(name));
  return columns.length ? columns : [resource.namedBy].filter(Boolean);
}

/**
 * The request for a page.
 * @param {Resource} resource
 * @param {ListState} state
 * @param {Set<string>} hidden fields that the reader may not read, and so not search
 */
export function requestOf(resource, state, hidden) {
  const query = new URLSearchParams();
  query.set("page[size]", String(state.size));
  if (state.sort) query.set("sort", state.sort);
  if (state.after) query.set("page[after]", state.after);
  if (state.before) query.set("page[before]", state.before);
  if (state.total) query.set("page[total]", "true");
  const columns = columnsOf(resource, state, hidden);
  const included = columns.filter((name) => resource.relationships.has(name));
  if (included.length) query.set("include", included.join());
  const fields = new Set([resource.namedBy, ...columns].filter(Boolean));
  query.set(`fields[${resource.type}]`, [...fields].join());
  const filter = expressionOf(resource, state, hidden);
  if (filter) query.set("filter", filter);
  return `${resource.url}?${query}`;
}

/**
 * The filter of a list, as an expression; empty if it has none.
 * @param {Resource} resource
 * @param {ListState} state
 * @param {Set<string>} hidden
 */
export function expressionOf(resource, state, hidden) {
  const conditions = state.conditions.map((condition) => written(resource, condition));
  const all = joined(state.any ? "or" : "and", conditions);
  return joined("and", [searchOf(resource, state.search.trim(), hidden), all].filter(Boolean));
}

/**
 * A search: the text is within one of the fields, without regard to case. One or two characters are
 * looked for at the beginning of the name alone, because many begin so.
 * @param {Resource} resource
 * @param {string} text
 * @param {Set<string>} hidden
 */
export function searchOf(resource, text, hidden) {
  if (!text) return "";
  const fields = resource.search.filter((name) => !hidden.has(name));
  if ([...text].length > 2) return joined("or", fields.map((name) => `icontains(${name},${quoted(text)})`));
  const named = fields.filter((name) => name === resource.namedBy);
  return joined("or", (named.length ? named : fields).map((name) => beginning(name, text)));
}

/**
 * The condition that a text begins with another one, in the spellings that there may be. Between the
 * first and the last of them in the order of code points, which is the API's, an index finds them.
 * @param {string} name
 * @param {string} text
 */
function beginning(name, text) {
  const first = [...text][0] ?? "";
  const capital = first.toUpperCase() + text.slice(first.length);
  const spellings = [...new Set([text, text.toLowerCase(), text.toUpperCase(), capital])].sort();
  const last = spellings.at(-1) ?? "";
  return joined("and", [
    `greaterOrEqual(${name},${quoted(spellings[0] ?? "")})`,
    `lessThan(${name},${quoted(`${last}\u{10ffff}`)})`,
    joined("or", spellings.map((each) => `startsWith(${name},${quoted(each)})`)),
  ]);
}

/** @type {Record<string, (path: string, value: string) => string>} */
const FUNCTIONS = {
  eq: (path, value) => `equals(${path},${quoted(value)})`,
  ne: (path, value) => `not(equals(${path},${quoted(value)}))`,
  lt: (path, value) => `lessThan(${path},${quoted(value)})`,
  le: (path, value) => `lessOrEqual(${path},${quoted(value)})`,
  gt: (path, value) => `greaterThan(${path},${quoted(value)})`,
  ge: (path, value) => `greaterOrEqual(${path},${quoted(value)})`,
  contains: (path, value) => `contains(${path},${quoted(value)})`,
  icontains: (path, value) => `icontains(${path},${quoted(value)})`,
  startswith: (path, value) => `startsWith(${path},${quoted(value)})`,
  endswith: (path, value) => `endsWith(${path},${quoted(value)})`,
  in: (path, value) => `any(${[path, ...value.split(",").map(quoted)].join()})`,
  nin: (path, value) => `not(any(${[path, ...value.split(",").map(quoted)].join()}))`,
  isnull: (path, value) => (value === "true" ? `equals(${path},null)` : `not(equals(${path},null))`),
};

/**
 * @param {Resource} resource
 * @param {Condition} condition
 */
function written(resource, { path, op, value }) {
  const relationship = resource.relationships.get(path);
  if (!relationship) return FUNCTIONS[op]?.(path, value) ?? "";
  const ids = value.split(",").map(quoted).join();
  const none = op === "isnull";
  if (relationship.isMany) {
    const has = none ? `has(${path})` : `has(${path},any(id,${ids}))`;
    return op === "nin" || (none && value === "true") ? `not(${has})` : has;
  }
  const is = none ? `equals(${path},null)` : `any(${path}.id,${ids})`;
  return op === "nin" || (none && value !== "true") ? `not(${is})` : is;
}

/** @param {string} text */
function quoted(text) {
  return `'${text.replace(/'/g, "''")}'`;
}

/**
 * @param {string} name
 * @param {string[]} parts
 */
function joined(name, parts) {
  return parts.length > 1 ? `${name}(${parts.join()})` : (parts[0] ?? "");
}

/**
 * The cursors in a link to a page.
 * @param {string | {href: string}} link
 */
export function cursorsOf(link) {
  const { searchParams } = new URL(typeof link === "string" ? link : link.href, location.href);
  return {
    after: searchParams.get("page[after]") ?? "",
    before: searchParams.get("page[before]") ?? "",
  };
}
