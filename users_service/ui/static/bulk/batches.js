/**
 * Sends a change of many rows as atomic operations, each with the tag of its row.
 *
 * A batch is done whole or not at all. If it is refused, the rows in the way are taken out, and the
 * rows before the first of them are sent for themselves: they were performed, and then rolled back.
 * So each row is performed twice at most, however many are refused.
 */

import { ApiError } from "../core/api.js";

/** Most rows in a batch, which is also the default of most operations in a request. */
const BATCH = 100;

// What the codes of errors say of a row: it is not as it was read.
/** @type {Record<string, Failure["why"]>} */
const STALE = { precondition_failed: "changed", not_found: "gone" };

/** @typedef {import("../lists/table.js").Row} Row */
/** @typedef {import("./changes.js").Change} Change */

/**
 * @typedef {object} Failure a row that was not changed
 * @property {Row} row
 * @property {"changed" | "gone" | "refused" | "unknown"} why others have changed or deleted it, the
 *   service has refused its change, or no answer has said whether it was done
 * @property {ApiError} [error] of a refusal
 */

/**
 * @typedef {object} Outcome
 * @property {number} done how many rows
 * @property {Failure[]} failed
 * @property {Row[]} left those that were not sent, since the reader has stopped
 */

/**
 * @typedef {object} Service what a run needs of the API
 * @property {(operations: any[]) => Promise<unknown>} operate
 * @property {(rows: Row[]) => Promise<Map<string, Row>>} read those that are still there, by id
 * @property {(rows: Row[], filter: string) => Promise<Set<string>>} matching the ids of those that
 *   match a filter
 */

/**
 * @typedef {object} Reader who waits for a run
 * @property {AbortSignal} signal is aborted to stop
 * @property {(outcome: Outcome) => void} progress
 * @property {(seconds: number) => Promise<void>} wait until then, or until stopped
 * @property {(error: ApiError) => Promise<void>} pause until the reader goes on, or stops
 */

/**
 * Change rows. It ends with an outcome for each row, whatever happens on the way.
 * @param {Row[]} rows with their tags
 * @param {Change} change
 * @param {Service} service
 * @param {Reader} reader
 * @returns {Promise<Outcome>}
 */
export async function run(rows, change, service, reader) {
  /** @type {Outcome} */
  const outcome = { done: 0, failed: [], left: [...rows] };
  let most = BATCH;
  let size = most;
  /** Rows of a batch that got no answer: whether it was done is not known yet. @type {Row[]} */
  let unsure = [];
  /** Rows that were sent again after that: the first request may still be on its way. */
  const repeated = new Set();

  /** @param {Row} row @param {Failure["why"]} why @param {ApiError} [error] */
  const fail = (row, why, error) => outcome.failed.push({ row, why, error });

  /** Send the next batch. */
  async function send() {
    const batch = outcome.left.slice(0, size);
    try {
      await service.operate(batch.map((row) => withTag(change.operation(row), row)));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (isUnclear(error)) {
        unsure = outcome.left.splice(0, batch.length);
        throw error;
      }
      if (mayPass(error)) throw error;
      takeOut(batch, error);
      return;
    }
    outcome.left.splice(0, batch.length);
    outcome.done += batch.length;
    size = most;
  }

  /**
   * Take out what has kept a batch from being done.
   * @param {Row[]} batch
   * @param {ApiError} error
   */
  function takeOut(batch, error) {
    const refused = refusals(error, batch.length);
    const isStale = (/** @type {[number, ApiError]} */ [index, { faults }]) =>
      (faults[0]?.code ?? "") in STALE && repeated.has(batch[index]?.id);
    if ([...refused].some(isStale)) {
      repeated.clear();
      unsure = outcome.left.splice(0, batch.length); // whoever has changed them may be us
    } else if (refused.size) {
      outcome.left.splice(0, batch.length, ...batch.filter((_, index) => !refused.has(index)));
      for (const [index, reason] of refused) {
        const why = STALE[reason.faults[0]?.code ?? ""] ?? "refused";
        fail(/** @type {Row} */ (batch[index]), why, why === "refused" ? reason : undefined);
      }
      size = Math.min(...refused.keys()) || most;
    } else if (batch.length > 1 && isTooLarge(error)) {
      most = size = Math.ceil(batch.length / 2);
    } else if (batch.length > 1 && error.status === 409) {
      size = Math.ceil(batch.length / 2); // one of them is in the way, and nobody says which
    } else {
      const concerned = error.status === 409 || isTooLarge(error) ? batch.length : outcome.left.length;
      for (const row of outcome.left.splice(0, concerned)) fail(row, "refused", error);
      size = most;
    }
  }

  /** Find out which of the unsure rows are done, and which are to be sent again. */
  async function settle() {
    const found = await service.read(unsure);
    const { wished } = change;
    const matching = wished ? await service.matching(unsure, wished) : new Set();
    const again = [];
    for (const row of unsure) {
      const now = found.get(row.id);
      if (matching.has(row.id) || (!now && wished === null)) outcome.done += 1;
      else if (!now) fail(row, "gone");
      else if (now.meta?.etag !== row.meta?.etag) fail(row, "changed");
      else again.push(row);
    }
    for (const row of again) repeated.add(row.id);
    outcome.left.unshift(...again);
    unsure = [];
  }

  while ((outcome.left.length || unsure.length) && !reader.signal.aborted) {
    reader.progress(outcome);
    try {
      await (unsure.length ? settle() : send());
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 429 || error.status === 503) await reader.wait(Math.max(error.wait, 1));
      else await reader.pause(error);
    }
  }
  if (unsure.length) await settle().catch(() => unsure.forEach((row) => fail(row, "unknown")));
  reader.progress(outcome);
  return outcome;
}

/**
 * @param {any} operation
 * @param {Row} row
 */
function withTag(operation, row) {
  return { ...operation, meta: { if_match: row.meta?.etag } };
}

/** Whether a batch may have been done all the same. @param {ApiError} error */
function isUnclear({ status }) {
  return status === 0 || status >= 500;
}

/** Whether it is worth to send the same batch later. @param {ApiError} error */
function mayPass({ status }) {
  return status === 401 || status === 408 || status === 429;
}

/** @param {ApiError} error */
function isTooLarge({ status, faults }) {
  return status === 413 || faults[0]?.code === "too_many_operations";
}

/**
 * The errors of single operations, by their places in the batch.
 * @param {ApiError} error
 * @param {number} count of operations
 * @returns {Map<number, ApiError>}
 */
function refusals(error, count) {
  /** @type {Map<number, ApiError>} */
  const found = new Map();
  for (const fault of error.faults) {
    const index = Number(/^\/atomic:operations\/(\d+)/.exec(fault.source?.pointer ?? "")?.[1] ?? NaN);
    if (index < count && !found.has(index)) found.set(index, new ApiError(Number(fault.status), [fault]));
  }
  return found;
}
