// Owns the explorer's answer panel: it joins the events of a stream, in the browser, to the answer that they make up.

export const ANSWER_STYLE = `
#answer-panel { position: fixed; right: 12px; bottom: 44px; z-index: 900; width: min(46vw, 640px); max-height: 45vh; display: flex; flex-direction: column;
  border: 1px solid #64748b; border-radius: 8px; background: #0f172a; color: #e2e8f0; font: 14px/1.5 system-ui, sans-serif; box-shadow: 0 8px 24px #0008 }
#answer-panel[hidden] { display: none }
#answer-panel header { display: flex; gap: 8px; align-items: center; padding: 6px 10px; border-bottom: 1px solid #334155; font-size: 12px }
#answer-panel header b { flex: 1; font-weight: 600 }
#answer-panel button { border: 0; background: none; color: inherit; font-size: 16px; cursor: pointer }
#answer-panel div { overflow-y: auto; padding: 10px; white-space: pre-wrap; overflow-wrap: anywhere }
#answer-panel div i { color: #94a3b8; display: block; margin-bottom: 8px }
@media (max-width: 700px) { #answer-panel { left: 8px; right: 8px; width: auto } }`;

/**
 * Runs before the explorer's own scripts. It reads what graphql-ws receives, without changing it, and shows the text of the latest stream. It also keeps
 * the newest event of the list in view.
 */
export const ANSWER_SCRIPT = `
const panel = document.createElement('aside');
panel.id = 'answer-panel';
panel.hidden = true;
panel.innerHTML = '<header><b></b><button type="button" aria-label="Close">×</button></header><div aria-live="polite"><i></i><span></span></div>';
const [title, body, reasoning, text] = ['b', 'div', 'i', 'span'].map((name) => panel.querySelector(name));
panel.querySelector('button').addEventListener('click', () => { panel.hidden = true; });
document.body.append(panel);

let operation, events, newest, waiting;
function begin(id) {
  operation = id;
  events = 0;
  reasoning.textContent = text.textContent = '';
  panel.hidden = true;
}
function show(id, data) {
  if (id !== operation) begin(id);
  for (const event of Object.values(data ?? {})) {
    if (event === null || typeof event !== 'object' || typeof event.seq !== 'number') continue;
    events += 1;
    if (event.seq === 1 || event.discard === true) reasoning.textContent = text.textContent = '';
    const isReasoning = event.__typename === 'ReasoningDelta';
    if (typeof event.text === 'string') (isReasoning ? reasoning : text).append(event.text);
    if (typeof event.reasoning === 'string') reasoning.append(event.reasoning);
    const ended = event.completion !== undefined;
    title.textContent = (ended ? 'Answer' : 'Answer so far') + ' · ' + events + ' events';
    if (text.textContent || reasoning.textContent) panel.hidden = false;
    waiting ??= setTimeout(scroll, 100);
  }
}
const Native = window.WebSocket;
window.WebSocket = class extends Native {
  constructor(...args) {
    super(...args);
    this.addEventListener('message', ({ data }) => {
      if (this.protocol !== 'graphql-transport-ws' || typeof data !== 'string') return;
      const message = JSON.parse(data);
      if (message.type === 'next') show(message.id, message.payload.data);
    });
  }
};
// Scrolling makes the browser lay out the whole page, so it happens some times a second at most, until the list has nothing new.
function scroll() {
  waiting = undefined;
  body.scrollTop = body.scrollHeight;
  const list = [...document.querySelectorAll('.query-result__list')].find(({ offsetParent }) => offsetParent);
  if (!list || list.lastElementChild === newest) return;
  newest = list.lastElementChild;
  newest?.scrollIntoView({ block: 'end' });
  waiting = setTimeout(scroll, 300);
}`;
