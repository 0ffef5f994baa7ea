/**
 * Makes a bulk change of given rows, without a page. What to do comes in as JSON, and what has come
 * of it goes out as JSON.
 */

import { readFileSync } from "node:fs";
import { run } from "../../users_service/ui/static/bulk/batches.js";
import { offersOf } from "../../users_service/ui/static/bulk/changes.js";
import { collect, serviceOf } from "../../users_service/ui/static/bulk/rows.js";
import { get } from "../../users_service/ui/static/core/api.js";
import { read } from "../../users_service/ui/static/core/model.js";
import { refresh } from "../../users_service/ui/static/session/session.js";

const { api, type, rows, filter, change, picked = [], stopAt } = JSON.parse(readFileSync(0, "utf-8"));
const entry = await refresh(api);
const model = read((await get(`${api}/openapi.json`)).document, entry, () => true);
const resource = model.resources.get(type);
// Without a language, a title is the key of its text.
const offers = offersOf({ model }, resource).map((each) => [[each.title, each.picks?.name].join(" ").trim(), each]);
const offer = Object.fromEntries(offers)[change];

const stopping = new AbortController();
const { signal } = stopping;
const said = { offers: offers.map(([title]) => title), steps: [], waits: [], pauses: [] };
if (offer) {
  const found = rows ?? (await collect(resource, filter, model.pageSize, signal, (n) => said.steps.push(n)));
  const outcome = await run(found, offer.change(picked), serviceOf(resource, model.operations), {
    signal,
    progress: ({ done, failed, left }) => {
      said.steps.push([done, failed.length, left.length]);
      if (done === stopAt) stopping.abort();
    },
    wait: async (seconds) => void said.waits.push(seconds),
    pause: async (error) => {
      said.pauses.push(error.status);
      if (stopAt === "pause") stopping.abort();
    },
  });
  said.done = outcome.done;
  said.failed = outcome.failed.map(({ row, why, error }) => [row.id, why, error?.faults[0]?.code ?? null]);
  said.left = outcome.left.length;
}
console.log(JSON.stringify(said));
process.exit(0); // the channel to other tabs would keep it waiting
