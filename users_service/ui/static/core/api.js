/** Requests to the API: documents of JSON:API, errors as exceptions, waits where it says so. */

const MEDIA_TYPE = "application/vnd.api+json";
const ATOMIC = `${MEDIA_TYPE};ext="https://jsonapi.org/ext/atomic"`;

// Seconds: the longest wait for an answer, and the longest that we wait by ourselves to try again.
const TIMEOUT = 60;
const LONGEST_RETRY = 10;
const MOST_RETRIES = 3;

/**
 * @typedef {object} Fault an error object
 * @property {string} status
 * @property {string} code
 * @property {string} title
 * @property {string} detail
 * @property {{pointer?: string, parameter?: string, header?: string}} [source]
 * @property {{attribute?: string, message?: string, rule?: string, limit?: number | string}} [meta]
 */

/** An answer that is no success, or none at all: its status is then 0. */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {Fault[]} faults
   * @param {number} wait seconds until it may be tried again; 0 if nobody says
   */
  constructor(status, faults, wait = 0) {
    super(faults[0]?.detail ?? `HTTP ${status}`);
    this.status = status;
    this.faults = faults;
    this.wait = wait;
  }
}

/**
 * @typedef {object} Answer
 * @property {number} status
 * @property {any} document null if there is none
 * @property {string | null} etag
 */

/**
 * @typedef {object} Options
 * @property {any} [document] sent as JSON
 * @property {string} [ifMatch] an entity tag
 * @property {AbortSignal} [signal] ends it from outside: an `AbortError` is thrown then
 * @property {boolean} [anonymous] a 401 is then an answer like others
 * @property {boolean} [withoutCookie] leaves the cookie out of account
 */

/** @type {() => Promise<boolean>} */
let signInAgain = async () => false;

/**
 * Say what to do when the session has ended.
 * @param {() => Promise<boolean>} ask asks the reader to sign in; tells whether somebody has
 */
export function onExpiry(ask) {
  signInAgain = ask;
}

let sendsCookie = true;

/**
 * Say whether requests are sent as whoever the cookie says. One whose session has ended is refused,
 * also where nobody needs to sign in.
 * @param {boolean} sends
 */
export function useCookie(sends) {
  sendsCookie = sends;
}

/**
 * Send a request. Reads wait and try again by themselves where the service asks for it.
 * @param {string} method
 * @param {string} url
 * @param {Options} [options]
 * @returns {Promise<Answer>}
 * @throws {ApiError}
 */
export async function send(method, url, options = {}) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await once(method, url, options);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 401 && !options.anonymous && tries === 1 && (await signInAgain())) {
        continue;
      }
      const mayRepeat = method === "GET" && [429, 503].includes(error.status);
      if (!mayRepeat || tries > MOST_RETRIES || error.wait > LONGEST_RETRY) throw error;
      await sleep(Math.max(error.wait, 1), options.signal);
    }
  }
}

/**
 * @param {string} url
 * @param {Options} [options]
 */
export function get(url, options) {
  return send("GET", url, options);
}

/**
 * Send atomic operations: all or none of them are done.
 * @param {string} url
 * @param {any[]} operations
 * @param {Options} [options]
 */
export function operate(url, operations, options = {}) {
  return send("POST", url, { ...options, document: { "atomic:operations": operations } });
}

/**
 * @param {string} method
 * @param {string} url
 * @param {Options} options
 * @returns {Promise<Answer>}
 */
async function once(method, url, options) {
  const type = options.document?.["atomic:operations"] ? ATOMIC : MEDIA_TYPE;
  /** @type {Record<string, string>} */
  const headers = { Accept: type };
  if (sendsCookie && !options.withoutCookie) headers["X-Requested-With"] = "users_service";
  if (options.document !== undefined) headers["Content-Type"] = type;
  if (options.ifMatch) headers["If-Match"] = options.ifMatch;
  const limits = [AbortSignal.timeout(TIMEOUT * 1000), ...(options.signal ? [options.signal] : [])];
  let response;
  let text;
  try {
    response = await fetch(url, {
      method,
      headers,
      body: options.document === undefined ? undefined : JSON.stringify(options.document),
      credentials: "same-origin",
      signal: AbortSignal.any(limits),
    });
    text = await response.text();
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError(0, []);
  }
  const document = parsed(text);
  if (response.ok) {
    return { status: response.status, document, etag: response.headers.get("ETag") };
  }
  const wait = Number(response.headers.get("Retry-After") ?? 0) || 0;
  throw new ApiError(response.status, document?.errors ?? [], wait);
}

/** @param {string} text */
function parsed(text) {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return null; // a proxy has answered in place of the service
  }
}

/**
 * @param {number} seconds
 * @param {AbortSignal} [signal]
 */
function sleep(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
