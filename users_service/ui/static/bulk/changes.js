/** The changes of many rows that the reader may make: out of the model. */

import { t } from "../core/i18n.js";
import { may } from "../session/session.js";

/** @typedef {import("../core/model.js").Resource} Resource */
/** @typedef {import("../core/model.js").Relationship} Relationship */
/** @typedef {import("../lists/table.js").Row} Row */
/** @typedef {{type: string, id: string}} Identifier */

/**
 * @typedef {object} Change
 * @property {string} title
 * @property {(row: Row) => any} operation an atomic operation, without the tag of the row
 * @property {string | null} wished the filter that rows match when it is done; empty if there is
 *   none, null if they are gone then
 */

/**
 * @typedef {object} Offer
 * @property {string} title
 * @property {Relationship} [picks] the relationship whose targets the reader has to pick first
 * @property {boolean} [deletes]
 * @property {(picked: Identifier[]) => Change} change
 */

/**
 * The changes that the reader may make.
 * @param {import("../app.js").Context} context
 * @param {Resource} resource
 * @returns {Offer[]}
 */
export function offersOf(context, resource) {
  const canUpdate = resource.methods.has("PATCH") && may(`${resource.type}:update`);
  const flags = [...resource.fields.values()].filter((field) => field.kind === "boolean" && field.isChangeable);
  const links = [...resource.relationships.values()].filter((each) => isOffered(context, each));
  const canDelete = resource.methods.has("DELETE") && may(`${resource.type}:delete`);
  return [
    ...(canUpdate ? flags.flatMap((field) => [flagOffer(field, true), flagOffer(field, false)]) : []),
    ...links.flatMap((each) => (each.isMany ? manyOffers(each) : oneOffers(each))),
    ...(canDelete ? [{ title: t("bulk.delete"), deletes: true, change: deletion }] : []),
  ];
}

/**
 * Whether a relationship of many rows can be changed at once. Where its targets have one source
 * alone, each row would take them from the row before.
 * @param {import("../app.js").Context} context
 * @param {Relationship} relationship
 */
function isOffered(context, { target, inverse, isMany, isChangeable, changedBy }) {
  const back = context.model.resources.get(target)?.relationships.get(inverse);
  return isChangeable && changedBy.every(may) && !(isMany && back && !back.isMany);
}

/**
 * @param {import("../core/model.js").Field} field
 * @param {boolean} value
 * @returns {Offer}
 */
function flagOffer({ name, title: field, operators }, value) {
  const title = t(value ? "bulk.yes" : "bulk.no", { field });
  const change = () => ({
    title,
    operation: (/** @type {Row} */ { type, id }) => ({
      op: "update",
      ref: { type, id },
      data: { type, id, attributes: { [name]: value } },
    }),
    wished: operators.has("eq") ? `equals(${name},'${value}')` : "",
  });
  return { title, change };
}

/**
 * @param {Relationship} relationship
 * @returns {Offer[]}
 */
function oneOffers(relationship) {
  const { name, title: field, isRequired } = relationship;
  const set = offer(t("bulk.set", { field }), name, "update", ([picked]) => ({
    data: picked,
    wished: `any(${name}.id,'${picked?.id}')`,
  }));
  const clear = offer(t("bulk.clear", { field }), name, "update", () => ({
    data: null,
    wished: `equals(${name},null)`,
  }));
  return [{ ...set, picks: relationship }, ...(isRequired ? [] : [clear])];
}

/**
 * @param {Relationship} relationship
 * @returns {Offer[]}
 */
function manyOffers(relationship) {
  const { name, title: field } = relationship;
  const add = offer(t("bulk.add", { field }), name, "add", (picked) => {
    const each = picked.map(({ id }) => `has(${name},any(id,'${id}'))`);
    return { data: picked, wished: each.length > 1 ? `and(${each})` : (each[0] ?? "") };
  });
  const remove = offer(t("bulk.remove", { field }), name, "remove", (picked) => ({
    data: picked,
    wished: `not(has(${name},any(id,${picked.map(({ id }) => `'${id}'`)})))`,
  }));
  return [add, remove].map((each) => ({ ...each, picks: relationship }));
}

/**
 * The offer to change the linkage of rows.
 * @param {string} title
 * @param {string} relationship
 * @param {"add" | "update" | "remove"} op
 * @param {(picked: Identifier[]) => {data: any, wished: string}} linkage
 * @returns {Offer}
 */
function offer(title, relationship, op, linkage) {
  const change = (/** @type {Identifier[]} */ picked) => {
    const { data, wished } = linkage(picked.map(({ type, id }) => ({ type, id })));
    const operation = (/** @type {Row} */ { type, id }) => ({ op, ref: { type, id, relationship }, data });
    return { title, operation, wished };
  };
  return { title, change };
}

/** The deletion of rows. @returns {Change} */
export function deletion() {
  return {
    title: t("bulk.delete"),
    operation: ({ type, id }) => ({ op: "remove", ref: { type, id } }),
    wished: null,
  };
}
