/** Reads the rows of bulk changes, with their tags. */

import { get, operate } from "../core/api.js";

/** @typedef {import("../core/model.js").Resource} Resource */
/** @typedef {import("../lists/table.js").Row} Row */

// Ids in one filter: a tag and a place in the URL for each of them.
const IDS = 100;

/**
 * Read all rows that match a filter.
 * @param {Resource} resource
 * @param {string} filter an expression, or empty
 * @param {number} size rows of a page
 * @param {AbortSignal} signal
 * @param {(count: number) => void} progress
 * @returns {Promise<Row[]>} with the field that names them
 */
export async function collect(resource, filter, size, signal, progress) {
  const query = queryOf(resource, filter, size);
  const rows = [];
  let url = `${resource.url}?${query}`;
  while (url) {
    const { document } = await get(url, { signal });
    rows.push(...document.data);
    progress(rows.length);
    const { next } = document.links;
    url = next?.href ?? next ?? "";
  }
  return rows;
}

/**
 * @param {Resource} resource
 * @param {string} filter
 * @param {number} size
 */
function queryOf(resource, filter, size) {
  const query = new URLSearchParams({ "page[size]": String(size) });
  if (resource.namedBy) query.set(`fields[${resource.type}]`, resource.namedBy);
  if (filter) query.set("filter", filter);
  return query;
}

/**
 * What a run needs of the API.
 * @param {Resource} resource
 * @param {string} operations their URL
 * @returns {import("./batches.js").Service}
 */
export function serviceOf(resource, operations) {
  return {
    operate: (all) => operate(operations, all),
    read: (rows) => read(resource, rows),
    matching: async (rows, wished) => {
      const found = await inParts(rows, (ids) => find(resource, `and(any(id,${ids}),${wished})`));
      return new Set(found.map(({ id }) => id));
    },
  };
}

/**
 * Read rows anew.
 * @param {Resource} resource
 * @param {Row[]} rows
 * @param {{whole?: boolean}} [options] whether with all fields
 * @returns {Promise<Map<string, Row>>} those that are still there, by id
 */
export async function read(resource, rows, { whole = false } = {}) {
  const found = await inParts(rows, (ids) => find(resource, `any(id,${ids})`, whole));
  return new Map(found.map((row) => [row.id, row]));
}

/**
 * @param {Resource} resource
 * @param {string} filter
 * @param {boolean} [whole]
 * @returns {Promise<Row[]>}
 */
async function find(resource, filter, whole) {
  const query = queryOf(resource, filter, IDS);
  if (whole) query.delete(`fields[${resource.type}]`);
  return (await get(`${resource.url}?${query}`)).document.data;
}

/**
 * Ask about rows in parts whose ids fit into a URL.
 * @template T
 * @param {Row[]} rows
 * @param {(ids: string) => Promise<T[]>} ask of the ids as a list of constants
 * @returns {Promise<T[]>}
 */
export async function inParts(rows, ask) {
  const all = [];
  for (let start = 0; start < rows.length; start += IDS) {
    const ids = rows.slice(start, start + IDS).map(({ id }) => `'${id}'`);
    all.push(...(await ask(ids.join())));
  }
  return all;
}
