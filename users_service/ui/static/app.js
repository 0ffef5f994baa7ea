/** Starts the UI: its language, who has signed in, what the API offers, and where the reader is. */

import { get } from "./core/api.js";
import { h } from "./core/dom.js";
import { keepFocus } from "./core/focus.js";
import { choose, t, use } from "./core/i18n.js";
import { inWords } from "./core/messages.js";
import { read } from "./core/model.js";
import { remembered } from "./core/prefs.js";
import { locate, start as startRouter } from "./core/router.js";
import { shell, showPlace } from "./core/shell.js";
import { watch } from "./session/expiry.js";
import { may, refresh } from "./session/session.js";

/**
 * @typedef {object} Context what every view gets
 * @property {string} api the URL of the API
 * @property {string} ui the path of the UI, without a slash at its end
 * @property {string} assets the URL of the folder of all files
 * @property {string[]} languages those that are offered
 * @property {string} title of the application
 * @property {import("./core/model.js").Model} model
 * @property {() => Promise<void>} restart reads everything anew, after signing in or out
 */

/**
 * @typedef {object} View
 * @property {string} title
 * @property {Node} node
 * @property {() => void} [leave] is called when another view takes its place
 */

/** @param {string} name */
function meta(name) {
  return document.querySelector(`meta[name="${name}"]`)?.getAttribute("content") ?? "";
}

/** @type {Context} */
const context = {
  api: meta("api"),
  ui: meta("ui"),
  assets: meta("assets"),
  languages: meta("languages").split(" "),
  title: meta("application-title"),
  model: { resources: new Map(), operations: "", pageSize: 100 },
  restart,
};

async function restart() {
  const [entry, description] = await Promise.all([
    refresh(context.api),
    get(`${context.api}/openapi.json`, { anonymous: true }),
  ]);
  context.model = read(description.document, entry, may);
  keepFocus(document.body, () => document.body.replaceChildren(shell(context)));
}

async function start() {
  locate(context.ui);
  const wanted = remembered("language", "");
  await use(context.assets, choose(context.languages, [wanted, ...navigator.languages].filter(Boolean)));
  document.documentElement.dataset.theme = remembered("theme", "auto");
  await restart();
  watch(context);
  startRouter((place) => void showPlace(context, place));
}

start().catch((error) => {
  const again = h("button", { type: "button", onclick: () => location.reload() }, t("try_again"));
  document.body.replaceChildren(h("main", { role: "alert" }, h("p", {}, inWords(error)), again));
});
