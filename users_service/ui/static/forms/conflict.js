/** Asks what to save where the reader and somebody else have changed the same. */

import { button, data, fill, h, newId } from "../core/dom.js";
import { open } from "../core/dialogs.js";
import { language, t } from "../core/i18n.js";
import { nameOf, show } from "../lists/values.js";
import { missing } from "./merge.js";

/** @typedef {import("./merge.js").Conflict} Conflict */

/** @typedef {"theirs" | "yours"} Side */

/**
 * @typedef {object} Asked
 * @property {import("../app.js").Context} context
 * @property {import("../core/model.js").Resource} resource
 * @property {Map<string, import("../lists/table.js").Row>} included by type and id
 */

/** @type {readonly Side[]} */
const SIDES = ["theirs", "yours"];

/**
 * Ask for each conflict whether theirs or yours is to be saved.
 * @param {import("../app.js").Context} context
 * @param {import("../core/model.js").Resource} resource
 * @param {Conflict[]} conflicts
 * @param {{included: Map<string, any>}} options what linkage leads to, for its name
 * @returns {Promise<Record<string, Side> | null>} the side by member; null if the reader left it
 */
export function resolve(context, resource, conflicts, { included }) {
  const asked = { context, resource, included };
  const dismissed = /** @type {Record<string, Side> | null} */ (null);
  return open(t("conflict.heading"), (close) => form(asked, conflicts, close), dismissed);
}

/**
 * Say what was saved together with the reader's own changes.
 * @param {import("../core/model.js").Resource} resource
 * @param {string[]} taken members; what nobody can change, such as times, is not worth a word
 * @returns {string} empty if there is nothing to say
 */
export function describeTaken(resource, taken) {
  const said = taken.filter((member) => resource.fields.get(member)?.isChangeable !== false);
  if (!said.length) return "";
  const titles = said.map((member) => titleOf(resource, member));
  return t("conflict.taken", { fields: new Intl.ListFormat(language()).format(titles) });
}

/**
 * @param {import("../core/model.js").Resource} resource
 * @param {string} member
 */
function titleOf({ fields, relationships }, member) {
  return (fields.get(member) ?? relationships.get(member))?.title ?? member;
}

/**
 * @param {Asked} asked
 * @param {Conflict[]} conflicts
 * @param {(result: Record<string, Side> | null) => void} close
 */
function form(asked, conflicts, close) {
  /** @type {Map<string, Side>} */
  const chosen = new Map();
  const left = h("p", { class: "status", role: "status" });
  const save = h("button", { class: "primary" }, t("conflict.save"));
  const update = () => {
    const n = conflicts.length - chosen.size;
    save.disabled = n > 0;
    fill(left, n ? t("conflict.left", { n }) : t("conflict.complete"));
  };
  const choices = conflicts.map((conflict) =>
    choice(asked, conflict, (side) => {
      chosen.set(conflict.member, side);
      update();
    }),
  );
  const chooseAll = (/** @type {Side} */ side) => choices.forEach(({ choose }) => choose(side));
  const all = SIDES.map((side) => button(t(`conflict.all_${side}`), () => chooseAll(side)));
  const submit = (/** @type {Event} */ event) => {
    event.preventDefault();
    close(Object.fromEntries(chosen));
  };
  update();
  return h(
    "form",
    { class: "conflicts", onsubmit: submit },
    h("p", { tabindex: "-1", autofocus: true }, t("conflict.text", { n: conflicts.length })),
    conflicts.length > 1 ? h("div", { class: "actions" }, all) : null,
    choices.map(({ node }) => node),
    left,
    h("div", { class: "actions" }, button(t("cancel"), () => close(null)), save),
  );
}

/**
 * What it was, theirs and yours, and a radio button for each of the two.
 * @param {Asked} asked
 * @param {Conflict} conflict
 * @param {(side: Side) => void} onChoose
 */
function choice(asked, conflict, onChoose) {
  const name = newId();
  const ids = { was: newId(), theirs: newId(), yours: newId() };
  const radios = SIDES.map((side) =>
    h("input", {
      type: "radio",
      name,
      value: side,
      "aria-describedby": ids[side],
      onchange: () => onChoose(side),
    }),
  );
  const values = /** @type {const} */ (["was", ...SIDES]).map((side) => [
    h("dt", {}, t(`conflict.${side}`)),
    h("dd", { id: ids[side] }, valueOf(asked, conflict, side)),
  ]);
  const node = h(
    "fieldset",
    {},
    h("legend", {}, titleOf(asked.resource, conflict.member)),
    h("dl", {}, values),
    SIDES.map((side, index) =>
      h("label", { class: "check" }, radios[index], t(`conflict.take_${side}`)),
    ),
  );
  const choose = (/** @type {Side} */ side) => {
    radios[SIDES.indexOf(side)].checked = true;
    onChoose(side);
  };
  return { node, choose };
}

/**
 * @param {Asked} asked
 * @param {Conflict} conflict
 * @param {"was" | Side} side
 * @returns {import("../core/dom.js").Child}
 */
function valueOf(asked, conflict, side) {
  const value = conflict[side];
  if (value === undefined) return h("span", { class: "none" }, t("conflict.unknown"));
  if (conflict.kind === "to-many") return setOf(asked, conflict, side);
  const field = asked.resource.fields.get(conflict.member);
  if (field) return show(field, value);
  return value ? data(relatedName(asked, value)) : h("span", { class: "none" }, t("none"));
}

/**
 * A set of related resources: what is in it, or else what a side added to it and removed from it.
 * @param {Asked} asked
 * @param {Conflict} conflict
 * @param {"was" | Side} side
 */
function setOf(asked, { was, ...sides }, side) {
  if (side === "was" || was === undefined) return names(asked, side === "was" ? was : sides[side]);
  const parts = { added: missing(sides[side], was), removed: missing(was, sides[side]) };
  return Object.entries(parts)
    .filter(([, related]) => related.length)
    .map(([part, related]) => [t(`conflict.${part}`), names(asked, related)]);
}

/**
 * @param {Asked} asked
 * @param {import("./merge.js").Identifier[]} related
 */
function names(asked, related) {
  if (!related.length) return h("span", { class: "none" }, t("none"));
  const items = related.map((each) => h("li", {}, data(relatedName(asked, each))));
  return h("ul", { class: "values" }, items);
}

/**
 * @param {Asked} asked
 * @param {import("./merge.js").Identifier} identifier
 */
function relatedName({ context, included }, identifier) {
  const { type, id } = identifier;
  return nameOf(context.model.resources.get(type), included.get(`${type} ${id}`) ?? identifier);
}
