// What was asked and answered in this tab. It outlives a reload of the page, and goes with the tab.

/**
 * @typedef {object} Exchange
 * @property {string} id - the question's message_id
 * @property {string} message
 * @property {string} name
 * @property {string} course
 * @property {string} text - the answer as far as it is known
 * @property {'asking' | 'complete' | 'failed'} state
 * @property {string} [notice] - one sentence beside the answer
 * @property {import('../events.js').Source[] | null} sources
 */

const KEPT_EXCHANGES = 50;

/** A storage area that forgets on reload where the browser offers none. */
function openArea(pick) {
  try {
    const area = pick();
    area.setItem('ragdock.probe', '');
    area.removeItem('ragdock.probe');
    return area;
  } catch {
    const values = new Map();
    return { getItem: (key) => values.get(key) ?? null, setItem: (key, value) => values.set(key, value) };
  }
}

const tab = openArea(() => sessionStorage);
const browser = openArea(() => localStorage);

/** @returns {Exchange[]} oldest first */
export function loadExchanges() {
  return JSON.parse(tab.getItem('ragdock.exchanges') ?? '[]');
}

/** @param {Exchange[]} exchanges */
export function saveExchanges(exchanges) {
  tab.setItem('ragdock.exchanges', JSON.stringify(exchanges.slice(-KEPT_EXCHANGES)));
}

/** Who asks about what, kept for the next visit. */
export function loadVisitor() {
  return { name: browser.getItem('ragdock.name') ?? '', course: browser.getItem('ragdock.course') ?? '' };
}

export function saveVisitor({ name, course }) {
  browser.setItem('ragdock.name', name);
  browser.setItem('ragdock.course', course);
}

/** A new message_id. Not `crypto.randomUUID`, which is missing where the page comes over plain HTTP. */
export function newId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
