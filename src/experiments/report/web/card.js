// What is said of a sample, at the pointer or below a finger.
const data = JSON.parse(document.getElementById("data").textContent);
const card = document.body.appendChild(Object.assign(document.createElement("div"), { id: "card", hidden: true }));
card.setAttribute("role", "status");
let below = null;
const text = (value) => value.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
const clusterName = (cluster) => (cluster < 0 ? "noise" : `cluster ${cluster}`);

// Show it beside the pointer, or below an element, which it follows.
function show(place, where) {
  const label = data.labels[place] ? `\nlabel ${data.labels[place]}` : "";
  card.innerHTML = tile(place) + text(`${data.ids[place]}\n${clusterName(data.clusters[place])}${label}`);
  card.hidden = false;
  below = where instanceof Element ? where : null;
  put(where);
}

function put(where) {
  const box = below?.getBoundingClientRect(), { clientX, clientY } = box ? { clientX: box.left - 16, clientY: box.bottom - 8 } : where;
  const right = clientX + 16 + card.offsetWidth > innerWidth, low = clientY + 16 + card.offsetHeight > innerHeight;
  card.style.left = `${Math.max(0, clientX + (right ? -16 - card.offsetWidth : 16))}px`;
  card.style.top = `${Math.max(0, clientY + (low ? -16 - card.offsetHeight : 16))}px`;
}

const hide = () => (card.hidden = true);
addEventListener("scroll", () => (below ? put() : hide()), { passive: true });

// Arrows go through what Tab reaches as one.
function roam(event, items) {
  const all = [...items], at = all.indexOf(document.activeElement), last = all.length - 1;
  const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: last }[event.key];
  if (at < 0 || to === undefined) return;
  event.preventDefault();
  const next = all[Math.min(Math.max(to, 0), last)];
  for (const item of all) item.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}
