/** Who has signed in, and what they may do: out of the entry document, and nowhere else. */

import { ApiError, get, useCookie } from "../core/api.js";
import { covers } from "../core/model.js";

/**
 * @typedef {object} Session
 * @property {{type: string, id: string} | null} caller null where nobody has signed in
 * @property {{type: string, id: string} | null} token
 * @property {string[]} permissions
 * @property {{sign_in: boolean, sign_up: boolean, password_reset: boolean, email_change: boolean}}
 *   authentication
 */

/** @type {Session} */
let session = {
  caller: null,
  token: null,
  permissions: [],
  authentication: { sign_in: false, sign_up: false, password_reset: false, email_change: false },
};

// All tabs of this browser have one cookie, and so one session.
const tabs = new BroadcastChannel("users_service:session");

/** @returns {Session} that of the page: another tab may have begun another one */
export function current() {
  return session;
}

/**
 * Ask the API who we are.
 * @param {string} api its URL
 * @returns {Promise<any>} the entry document
 */
export async function refresh(api) {
  const { document } = await entry(api);
  session = document.meta;
  return document;
}

/**
 * Ask the API who we are, and leave the session of the page as it is.
 * @param {string} api its URL
 * @returns {Promise<Session>}
 */
export async function look(api) {
  return (await entry(api)).document.meta;
}

/**
 * Fetch the entry document; as nobody, if the session has ended.
 * @param {string} api
 */
async function entry(api) {
  useCookie(true);
  try {
    return await get(api, { anonymous: true });
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    useCookie(false);
    return get(api, { anonymous: true });
  }
}

/** Tell the other tabs that somebody has signed in or out in this one. */
export function announce() {
  tabs.postMessage(null);
}

/**
 * Say what to do when somebody has signed in or out in another tab.
 * @param {() => void} act
 */
export function onAnnouncement(act) {
  tabs.addEventListener("message", act);
}

/**
 * Whether a caller may do all, as everybody may where the service is open.
 * @param {Session} session
 */
export function mayAll({ permissions }) {
  return covers(permissions, "*");
}

/**
 * Whether the caller has a permission.
 * @param {string} permission
 */
export function may(permission) {
  return covers(session.permissions, permission);
}

/**
 * Whether a resource is the caller's own user.
 * @param {{type: string, id: string}} resource
 */
export function isSelf({ type, id }) {
  return session.caller?.type === type && session.caller?.id === id;
}
