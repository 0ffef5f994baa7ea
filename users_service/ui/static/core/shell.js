/** The frame around every view: navigation, menus, messages, and shortcuts of the keyboard. */

import { pages } from "../pages/index.js";
import { current } from "../session/session.js";
import { button, data, fill, h, newId } from "./dom.js";
import { isolated, language, nameOf, t } from "./i18n.js";
import { inWords, messageRegion } from "./messages.js";
import { remember, remembered } from "./prefs.js";
import { go, here, link, urlOf } from "./router.js";
import { listen, showShortcuts } from "./shortcuts.js";

const main = h("main", { id: "main", tabindex: "-1" });
const nav = h("nav", {});
const heading = h("h1", { tabindex: "-1" });

/** @type {import("../app.js").View | null} */
let shown = null;

/**
 * Make the frame.
 * @param {import("../app.js").Context} context
 */
export function shell(context) {
  const skip = h("a", { class: "skip", href: "#main", onclick: toMain }, t("skip"));
  listen();
  return h(
    "div",
    { class: "shell" },
    skip,
    h("header", {}, link(urlOf([]), { class: "brand" }, context.title), nav, menus(context)),
    main,
    messageRegion(),
  );
}

/** @param {Event} event */
function toMain(event) {
  event.preventDefault();
  main.focus();
}

/** The resources that the reader may see. @param {import("../app.js").Context} context */
function visible(context) {
  return [...context.model.resources.values()].filter(({ isVisible }) => isVisible);
}

/** @param {import("../app.js").Context} context */
function fillNav(context) {
  const [first] = here().segments;
  const entries = visible(context).map(({ type, many }) =>
    h("li", {}, link(urlOf([type]), { "aria-current": first === type ? "page" : null }, many)),
  );
  nav.setAttribute("aria-label", t("navigation"));
  fill(nav, h("ul", {}, entries));
}

/** @param {import("../app.js").Context} context */
function menus(context) {
  const menu = h("details", { class: "menu" }, h("summary", {}, t("menu")));
  const entries = pages
    .filter((page) => page.menu?.(current()))
    .map((page) => h("li", {}, link(urlOf(page.segments), {}, t(page.title))));
  const languages = choice(t("language"), language(), context.languages.map((tag) => [tag, nameOf(tag)]));
  languages.select.addEventListener("change", () => {
    remember("language", languages.select.value);
    location.reload();
  });
  const themes = choice(
    t("theme"),
    remembered("theme", "auto"),
    ["auto", "light", "dark"].map((name) => [name, t(`theme.${name}`)]),
  );
  themes.select.addEventListener("change", () => {
    remember("theme", themes.select.value);
    document.documentElement.dataset.theme = themes.select.value;
  });
  menu.append(
    h(
      "div",
      { class: "menu-content" },
      h("ul", {}, entries),
      languages.node,
      themes.node,
      button(t("shortcuts"), () => void showShortcuts()),
    ),
  );
  menu.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  menu.addEventListener("click", (/** @type {Event} */ event) => {
    if (event.target instanceof HTMLAnchorElement) menu.open = false;
  });
  return menu;
}

/**
 * A select with its label.
 * @param {string} text
 * @param {string} value
 * @param {string[][]} options values with their texts
 */
function choice(text, value, options) {
  const id = newId();
  const select = h(
    "select",
    { id },
    options.map(([each, shown]) => h("option", { value: each, selected: each === value }, shown)),
  );
  return { select, node: h("div", { class: "field" }, h("label", { for: id }, text), select) };
}

let places = 0;

/**
 * Show the view of a place.
 * @param {import("../app.js").Context} context
 * @param {import("./router.js").Place} place
 */
export async function showPlace(context, place) {
  places += 1;
  const number = places;
  main.setAttribute("aria-busy", "true");
  const view = await viewOf(context, place).catch((error) => faultView(error));
  if (number !== places) return; // the reader has gone on meanwhile
  shown?.leave?.();
  shown = view;
  main.removeAttribute("aria-busy");
  fillNav(context);
  fill(main, heading, view.node);
  retitle(context, view.title);
  if (places > 1) heading.focus();
}

/**
 * Show another title for the view, such as a changed name.
 * @param {import("../app.js").Context} context
 * @param {string} title
 */
export function retitle(context, title) {
  fill(heading, data(title));
  document.title = `${isolated(title)} – ${context.title}`;
}

/**
 * @param {import("../app.js").Context} context
 * @param {import("./router.js").Place} place
 * @returns {Promise<import("../app.js").View>}
 */
async function viewOf(context, place) {
  const [first, second] = place.segments;
  const page = pages.find(({ segments }) => segments.join("/") === place.segments.join("/"));
  if (page) return (await page.load()).view(context, place);
  if (first === undefined) return home(context);
  const resource = context.model.resources.get(first);
  if (!resource || place.segments.length > 2) return unknownView();
  if (second === undefined) {
    return (await import("../lists/list.js")).listView(context, resource, place);
  }
  return (await import("../forms/form.js")).formView(context, resource, second);
}

/** @param {import("../app.js").Context} context @returns {import("../app.js").View} */
function home(context) {
  const entries = visible(context);
  const entry = pages.find((page) => page.entry?.(current(), entries.length));
  if (entry) void go(urlOf(entry.segments), { replace: true });
  const links = entries.map(({ type, many }) => h("li", {}, link(urlOf([type]), {}, many)));
  return { title: t("home"), node: h("ul", { class: "home" }, links) };
}

/** @returns {import("../app.js").View} */
export function unknownView() {
  return {
    title: t("not_found"),
    node: h("p", {}, t("not_found.text"), " ", link(urlOf([]), {}, t("home"))),
  };
}

/** @param {unknown} error @returns {import("../app.js").View} */
function faultView(error) {
  const again = button(t("try_again"), () => location.reload());
  const node = h("div", { role: "alert" }, h("p", {}, inWords(error)), again);
  return { title: t("fault"), node };
}
