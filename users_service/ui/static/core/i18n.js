/** Texts, dates and numbers in the language of the reader. */

const RIGHT_TO_LEFT = new Set(["ar", "fa", "he", "ur"]);

// Around a value in a text, so that its direction does not reach the text (Unicode UAX #9).
const ISOLATE = "\u2068";
const END_ISOLATE = "\u2069";

/** @type {Record<string, string | Record<string, string>>} */
let texts = {};

let chosen = "en";

/** @type {Intl.PluralRules} */
let plurals = new Intl.PluralRules("en");

/**
 * Choose among the languages that there are: one that is wanted, or the first.
 * @param {readonly string[]} offered
 * @param {readonly string[]} wanted in the order of preference, such as `navigator.languages`
 * @returns {string}
 */
export function choose(offered, wanted) {
  for (const tag of wanted) {
    const locale = new Intl.Locale(tag).maximize();
    const found =
      offered.find((other) => other === tag) ??
      offered.find((other) => {
        const known = new Intl.Locale(other).maximize();
        return known.language === locale.language && known.script === locale.script;
      });
    if (found) return found;
  }
  return offered[0] ?? "en";
}

/**
 * Load the texts of a language, and use them from now on.
 * @param {string} assets the URL of the folder of all files
 * @param {string} tag
 */
export async function use(assets, tag) {
  const response = await fetch(`${assets}/lang/${tag}.json`);
  if (!response.ok) throw new Error(`There is no language ${tag}`);
  texts = await response.json();
  chosen = tag;
  plurals = new Intl.PluralRules(tag);
  document.documentElement.lang = tag;
  document.documentElement.dir = RIGHT_TO_LEFT.has(tag.split("-")[0] ?? "") ? "rtl" : "ltr";
}

/** @returns {string} the language, as in BCP 47 */
export function language() {
  return chosen;
}

/**
 * Return a text.
 * @param {string} key
 * @param {Record<string, unknown>} [values] what stands in braces in it; `n` chooses its plural form
 * @returns {string}
 */
export function t(key, values = {}) {
  const found = texts[key];
  if (found === undefined) return key;
  const form = typeof found === "string" ? found : plural(found, Number(values.n));
  return form.replace(/\{(\w+)\}/g, (_, name) => shown(values[name]));
}

/**
 * @param {Record<string, string>} forms
 * @param {number} n
 */
function plural(forms, n) {
  return forms[plurals.select(n)] ?? forms.other ?? "";
}

/** @param {unknown} value */
function shown(value) {
  return typeof value === "number" ? number(value) : isolated(String(value));
}

/**
 * A text whose direction does not reach what is around it, where there can be no element for it.
 * @param {string} text
 */
export function isolated(text) {
  return `${ISOLATE}${text}${END_ISOLATE}`;
}

/**
 * Whether there is a text.
 * @param {string} key
 */
export function has(key) {
  return key in texts;
}

/**
 * The title of something that the API describes: in the reader's language, or as the API has it.
 * @param {string} path such as a type, or a type, a dot and a field
 * @param {string} described
 */
export function title(path, described) {
  const key = `title.${path}`;
  return has(key) ? t(key) : described;
}

/** @param {number} value */
export function number(value) {
  return new Intl.NumberFormat(chosen, { maximumFractionDigits: 20 }).format(value);
}

/** @param {string} text of RFC 3339 */
export function instant(text) {
  const style = { dateStyle: "medium", timeStyle: "short" };
  return new Intl.DateTimeFormat(chosen, /** @type {any} */ (style)).format(new Date(text));
}

/** @param {string} text as 2026-01-31 */
export function day(text) {
  const style = { dateStyle: "medium", timeZone: "UTC" };
  return new Intl.DateTimeFormat(chosen, /** @type {any} */ (style)).format(new Date(text));
}

/**
 * The name of a language in that language.
 * @param {string} tag
 */
export function nameOf(tag) {
  return new Intl.DisplayNames([tag], { type: "language" }).of(tag) ?? tag;
}
