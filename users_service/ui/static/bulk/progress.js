/** Shows a run beside the page: how far it is, a button to stop it, and what has come of it. */

import { button, data, fill, h } from "../core/dom.js";
import { ask } from "../core/dialogs.js";
import { t } from "../core/i18n.js";
import { inWords, messageRegion, say, sayFault } from "../core/messages.js";
import { link, urlOf } from "../core/router.js";
import { nameOf, show } from "../lists/values.js";
import { run } from "./batches.js";
import { read, serviceOf } from "./rows.js";

/** @typedef {import("../core/model.js").Resource} Resource */
/** @typedef {import("../lists/table.js").Row} Row */
/** @typedef {import("./batches.js").Failure} Failure */
/** @typedef {import("./batches.js").Outcome} Outcome */
/** @typedef {import("./changes.js").Change} Change */

/** Ask the reader before the page is closed. @returns {() => void} ends that */
export function stayOpen() {
  const stay = (/** @type {Event} */ event) => event.preventDefault();
  window.addEventListener("beforeunload", stay);
  return () => window.removeEventListener("beforeunload", stay);
}

/**
 * Open a panel for what takes its time.
 * @param {string} title
 */
export function panel(title) {
  const stopping = new AbortController();
  const { signal } = stopping;
  const bar = h("progress", { "aria-label": title });
  const text = h("span", {});
  const actions = h("span", {}, button(t("bulk.stop"), () => stopping.abort()));
  // Not every step is read out, as messages are.
  const steps = h("div", { class: "steps", "aria-live": "off" }, bar, text);
  const node = h("div", { class: "message bulk-run" }, h("strong", {}, title), steps, actions);
  const mayClose = stayOpen();
  messageRegion().append(node);

  /**
   * @param {string} words
   * @param {number} [done]
   * @param {number} [all] unknown without it
   */
  function step(words, done, all) {
    fill(text, words);
    if (all) Object.assign(bar, { max: all, value: done });
  }

  /**
   * Hold until the reader goes on or stops, or for a time.
   * @param {string} words
   * @param {number} [seconds]
   * @returns {Promise<void>}
   */
  function hold(words, seconds) {
    return new Promise((resolve) => {
      const goOn = () => {
        clearTimeout(timer);
        fill(notice);
        notice.remove();
        resolve();
      };
      const again = seconds ? null : button(t("bulk.go_on"), goOn);
      const notice = h("div", { class: "notice" }, h("span", {}, words), again);
      const timer = seconds ? setTimeout(goOn, seconds * 1000) : 0;
      signal.addEventListener("abort", goOn, { once: true });
      node.insertBefore(notice, actions);
    });
  }

  /** Put a result in the place of the progress. @param {...import("../core/dom.js").Child} content */
  function end(...content) {
    mayClose();
    fill(node, h("strong", {}, title), ...content, button(t("dismiss"), () => node.remove()));
  }

  function remove() {
    mayClose();
    node.remove();
  }

  return { signal, step, hold, end, remove };
}

/**
 * Change rows, show how far it is, and then what has failed.
 * @param {import("../app.js").Context} context
 * @param {Resource} resource
 * @param {Row[]} rows with their tags
 * @param {Change} change
 * @param {() => void} done is called at the end if any row has been changed
 */
export async function perform(context, resource, rows, change, done) {
  const { signal, step, hold, end, remove } = panel(change.title);
  const all = rows.length;
  /** @param {Outcome} outcome */
  const progress = (outcome) => {
    const count = outcome.done + outcome.failed.length;
    step(t("bulk.progress", { n: count, all }), count, all);
  };
  const wait = (/** @type {number} */ seconds) => hold(t("bulk.waiting", { n: seconds }), seconds);
  const pause = (/** @type {unknown} */ error) => hold(inWords(error));
  /** @type {Outcome} */
  let outcome;
  try {
    const service = serviceOf(resource, context.model.operations);
    outcome = await run(rows, change, service, { signal, progress, wait, pause });
  } catch (error) {
    remove();
    sayFault(error);
    return;
  }
  if (outcome.done) done();
  if (outcome.done === all) {
    remove();
    say(t("bulk.done", { n: all, change: change.title }));
    return;
  }
  const { failed, left } = outcome;
  const goOn = (/** @type {Row[]} */ others) => {
    remove();
    void perform(context, resource, others, change, done);
  };
  const again = () => void tryAgain(resource, failed, goOn).catch(sayFault);
  end(
    h("p", {}, t("bulk.done", { n: outcome.done, change: change.title })),
    left.length ? [h("p", {}, t("bulk.left", { n: left.length })), button(t("bulk.go_on"), () => goOn(left))] : null,
    failed.length ? h("p", {}, t("bulk.failed", { n: failed.length })) : null,
    h("ul", { class: "failures", "aria-live": "off" }, failed.map((each) => failure(resource, each))),
    failed.some(({ why }) => why !== "gone") ? button(t("try_again"), again) : null,
  );
}

/**
 * @param {Resource} resource
 * @param {Failure} failure
 */
function failure(resource, { row, why, error }) {
  const name = data(nameOf(resource, row));
  const place = urlOf([resource.type, row.id]);
  const reason = error ? inWords(error) : t(`bulk.why.${why}`);
  return h("li", {}, why === "gone" ? name : link(place, {}, name), " – ", reason);
}

/**
 * Try what has failed again, after showing how these rows are now.
 * @param {Resource} resource
 * @param {Failure[]} failed
 * @param {(rows: Row[]) => void} goOn
 */
async function tryAgain(resource, failed, goOn) {
  const fresh = await read(resource, failed.map(({ row }) => row), { whole: true });
  const rows = [...fresh.values()];
  if (!rows.length) {
    say(t("bulk.all_gone"));
    return;
  }
  const items = failed.flatMap(({ row }) => {
    const now = fresh.get(row.id);
    return now ? [h("li", {}, data(nameOf(resource, now)), h("ul", {}, changesOf(resource, row, now)))] : [];
  });
  const content = [h("p", {}, t("bulk.now", { n: rows.length })), h("ul", { class: "failures" }, items)];
  if (await ask(t("try_again"), content, t("try_again"))) goOn(rows);
}

/**
 * What has become other in a row; where that is not known, how it is now.
 * @param {Resource} resource
 * @param {Row} was
 * @param {Row} now
 */
function changesOf(resource, was, now) {
  const fields = [...resource.fields.values()].filter(({ name }) => name in (now.attributes ?? {}));
  const known = fields.filter(({ name }) => name in (was.attributes ?? {}));
  const other = known.filter(({ name }) => JSON.stringify(was.attributes[name]) !== JSON.stringify(now.attributes[name]));
  if (other.length) {
    return other.map((field) => {
      const before = h("del", {}, show(field, was.attributes[field.name]));
      return h("li", {}, `${field.title}: `, before, " ", h("ins", {}, show(field, now.attributes[field.name])));
    });
  }
  const shown = fields.filter(({ name }) => resource.columns.includes(name) && name !== resource.namedBy);
  return shown.map((field) => h("li", {}, `${field.title}: `, show(field, now.attributes[field.name])));
}
