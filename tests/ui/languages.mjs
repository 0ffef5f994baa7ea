/**
 * What a language has to have: its plural forms, and the titles of what the API describes, as the
 * UI asks for them.
 *
 *   node languages.mjs <folder of the files> <language> …
 *
 * reads `{description, entry}` from standard input and writes JSON: `plurals`, the categories by
 * language; `titles`, the described text by the key of its translation; `operators` of filters.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";

const [folder, ...languages] = process.argv.slice(2);
const { use } = await import(join(folder, "core/i18n.js"));
const { read } = await import(join(folder, "core/model.js"));
const { description, entry } = JSON.parse(readFileSync(0, "utf-8"));

/** Read the description in a language whose texts are their own keys, or one without texts. */
async function modelIn(hasTexts) {
  const texts = new Proxy({}, { has: () => hasTexts, get: (_, key) => key });
  globalThis.document = { documentElement: {} };
  globalThis.fetch = async () => ({ ok: true, json: async () => texts });
  await use("", "en");
  return read(description, entry, () => true);
}

/** The texts in a value, always in the same order. */
function* textsIn(value) {
  if (typeof value === "string") yield value;
  else if (value instanceof Map || value instanceof Set) yield* textsIn([...value]);
  else if (value !== null && typeof value === "object") {
    for (const each of Object.values(value)) yield* textsIn(each);
  }
}

const described = await modelIn(false);
const texts = [...textsIn(described)];
const pairs = [...textsIn(await modelIn(true))].map((key, index) => [key, texts[index]]);
const fields = [...described.resources.values()].flatMap((each) => [...each.fields.values()]);
const plurals = languages.map((language) => {
  return [language, new Intl.PluralRules(language).resolvedOptions().pluralCategories];
});
const found = {
  titles: Object.fromEntries(pairs.filter(([key]) => key.startsWith("title."))),
  operators: [...new Set(fields.flatMap(({ operators }) => [...operators]))],
  plurals: Object.fromEntries(plurals),
};
process.stdout.write(JSON.stringify(found));
