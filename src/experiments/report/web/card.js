// The card of a sample: image, id, cluster and label.
const data = JSON.parse(document.getElementById("data").textContent);
const card = document.body.appendChild(Object.assign(document.createElement("div"), { id: "card", hidden: true }));
card.setAttribute("role", "status");
let anchor = null;
const escape = (value) => value.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
const clusterName = (cluster) => data.names[cluster];

// Show the card next to the pointer, or below an element, following it on scroll.
function show(row, target) {
  const label = data.labels[row] ? `\nlabel ${data.labels[row]}` : "";
  card.innerHTML = tile(row) + escape(`${data.ids[row]}\n${clusterName(data.clusters[row])}${label}`);
  card.hidden = false;
  anchor = target instanceof Element ? target : null;
  moveCard(target);
}

function moveCard(target) {
  const box = anchor?.getBoundingClientRect(), { clientX, clientY } = box ? { clientX: box.left - 16, clientY: box.bottom - 8 } : target;
  const right = clientX + 16 + card.offsetWidth > innerWidth, low = clientY + 16 + card.offsetHeight > (panel.hidden ? innerHeight : panel.getBoundingClientRect().top);
  card.style.left = `${Math.max(0, clientX + (right ? -16 - card.offsetWidth : 16))}px`;
  card.style.top = `${Math.max(0, clientY + (low ? -16 - card.offsetHeight : 16))}px`;
}

const hide = () => (card.hidden = true);
addEventListener("scroll", () => (anchor ? moveCard() : hide()), { passive: true });

// Arrow keys move the focus within a group, which Tab enters as one stop.
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
