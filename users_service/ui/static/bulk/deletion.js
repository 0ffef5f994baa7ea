/** Deletes rows: says what goes along, and sends nothing until there was time to undo it. */

import { get } from "../core/api.js";
import { button, data, fill, h } from "../core/dom.js";
import { open } from "../core/dialogs.js";
import { t } from "../core/i18n.js";
import { say } from "../core/messages.js";
import { nameOf } from "../lists/values.js";
import { may } from "../session/session.js";
import { deletion } from "./changes.js";
import { perform, stayOpen } from "./progress.js";
import { inParts } from "./rows.js";

/** @typedef {import("../core/model.js").Resource} Resource */
/** @typedef {import("../lists/table.js").Row} Row */

// Seconds in which nothing is sent.
const UNDO = 8;
const NAMES = 10;

/**
 * Delete rows after asking.
 * @param {import("../app.js").Context} context
 * @param {Resource} resource
 * @param {Row[]} rows with their tags
 * @param {() => void} done is called if any was deleted, and the reader is still at this place
 */
export async function deleteWithUndo(context, resource, rows, done) {
  const place = location.pathname;
  if (!(await isMeant(context, resource, rows))) return;
  if (await isUndone(rows.length)) {
    say(t("deletion.undone"));
    return;
  }
  await perform(context, resource, rows, deletion(), () => {
    if (location.pathname === place) done();
  });
}

/**
 * Ask, and say what goes along.
 * @param {import("../app.js").Context} context
 * @param {Resource} resource
 * @param {Row[]} rows
 * @returns {Promise<boolean>}
 */
async function isMeant(context, resource, rows) {
  const counting = new AbortController();
  const n = rows.length;
  const name = nameOf(resource, /** @type {Row} */ (rows[0]));
  const meant = await open(
    n > 1 ? t("deletion.heading_many", { n, many: resource.many }) : t("deletion.heading", { name }),
    (close) => {
      const confirm = button(t("bulk.delete"), () => close(true), { class: "primary", disabled: true });
      const along = h("ul", { class: "along" }, h("li", {}, t("deletion.counting")));
      void consequences(context, resource, rows, counting.signal).then((texts) => {
        fill(along, texts.map((text) => h("li", {}, text)));
        confirm.disabled = false;
      });
      const names = rows.slice(0, NAMES).map((row) => h("li", {}, data(nameOf(resource, row))));
      if (n > NAMES) names.push(h("li", {}, t("deletion.more", { n: n - NAMES })));
      return [
        n > 1 ? h("ul", { class: "names" }, names) : null,
        along,
        h("div", { class: "actions" }, button(t("cancel"), () => close(false), { autofocus: true }), confirm),
      ];
    },
    false,
  );
  counting.abort();
  return meant;
}

/**
 * What the deletion does to other resources, in words.
 * @param {import("../app.js").Context} context
 * @param {Resource} resource
 * @param {Row[]} rows
 * @param {AbortSignal} signal
 * @returns {Promise<string[]>}
 */
async function consequences(context, resource, rows, signal) {
  const texts = [];
  for (const other of context.model.resources.values()) {
    for (const { name, target, onDelete, isMany } of other.relationships.values()) {
      if (isMany || target !== resource.type || !["cascade", "restrict"].includes(onDelete)) continue;
      const n = await count(other, name, rows, signal);
      if (n !== 0) texts.push(inText(onDelete, other.many, n));
    }
  }
  return texts;
}

/**
 * @param {string} onDelete
 * @param {string} many the title of the others
 * @param {number | null} n
 */
function inText(onDelete, many, n) {
  const restricts = onDelete === "restrict";
  if (n === null) return t(restricts ? "deletion.may_restrict" : "deletion.may_cascade", { many });
  return t(restricts ? "deletion.restrict" : "deletion.cascade", { n, many });
}

/**
 * Count the resources that refer to rows.
 * @param {Resource} other
 * @param {string} relationship
 * @param {Row[]} rows
 * @param {AbortSignal} signal
 * @returns {Promise<number | null>} null where the reader may not see all of them
 */
async function count(other, relationship, rows, signal) {
  if (!other.methods.has("GET") || !may(`${other.type}:read`)) return null;
  const totalOf = async (/** @type {string} */ ids) => {
    const filter = `any(${relationship}.id,${ids})`;
    const query = new URLSearchParams({ "page[size]": "1", "page[total]": "true", filter });
    const { document } = await get(`${other.url}?${query}`, { signal });
    return [document.meta.page.total];
  };
  try {
    const totals = await inParts(rows, totalOf);
    return totals.reduce((sum, each) => sum + each, 0);
  } catch {
    return null; // the deletion tells what is in its way
  }
}

/**
 * Wait for the reader, who may undo it, or let it be done at once.
 * @param {number} n how many rows
 * @returns {Promise<boolean>} whether it is undone
 */
async function isUndone(n) {
  const mayClose = stayOpen();
  const undone = await new Promise((resolve) => {
    const goOn = () => resolve(false);
    /** @type {[string, () => void][]} */
    const choices = [
      [t("deletion.undo"), () => resolve(true)],
      [t("deletion.now"), goOn],
    ];
    say(t("deletion.waiting", { n, seconds: UNDO }), { choices, seconds: UNDO });
    setTimeout(goOn, UNDO * 1000);
  });
  mayClose();
  return undone;
}
