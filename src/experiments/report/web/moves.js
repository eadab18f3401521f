// How one moves about on the map: pointer, fingers, keys.
const ring = document.getElementById("ring"), fingers = new Map();
let selected = -1, dragged = 0;

const within = ({ clientX, clientY }) => {
  const box = canvas.getBoundingClientRect();
  return [clientX - box.left, clientY - box.top];
};

function select(place, event) {
  selected = place;
  ring.hidden = place < 0;
  canvas.style.cursor = place < 0 ? "grab" : "pointer";
  if (place < 0) return hide();
  const box = canvas.getBoundingClientRect(), [across, down] = [leftOf(place), topOf(place)];
  ring.style.transform = `translate(${across}px, ${down}px)`;
  show(place, event ?? { clientX: box.left + across, clientY: box.top + down });
}

function move(event) {
  const before = fingers.get(event.pointerId), now = within(event);
  if (!before) return event.pointerType === "mouse" && select(nearest(...now, 14), event);
  const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
  fingers.set(event.pointerId, now);
  dragged += Math.hypot(now[0] - before[0], now[1] - before[1]);
  if (event.pointerType === "touch" && !other) return; // one finger moves the page
  if (dragged > 4) select(-1);
  const share = other ? 0.5 : 1; // each of two fingers moves half of it
  view.x -= (share * (now[0] - before[0])) / view.scale;
  view.y -= (share * (now[1] - before[1])) / view.scale;
  if (!other) return later();
  const apart = (place) => Math.hypot(place[0] - other[0], place[1] - other[1]);
  zoom(apart(now) / Math.max(apart(before), 1), [(now[0] + other[0]) / 2, (now[1] + other[1]) / 2]);
}

canvas.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  if (!fingers.size) dragged = 0;
  fingers.set(event.pointerId, within(event));
  if (event.pointerType === "mouse") canvas.setPointerCapture(event.pointerId);
});
canvas.addEventListener("pointermove", move);
for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => fingers.delete(event.pointerId));
canvas.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && select(-1));
canvas.addEventListener("click", (event) => dragged > 4 || select(nearest(...within(event), 24), event));
canvas.addEventListener("dblclick", (event) => (select(-1), zoom(event.shiftKey ? 0.5 : 2, within(event))));
canvas.addEventListener("wheel", (event) => {
  if (!event.ctrlKey && !event.metaKey) return; // the wheel alone moves the page
  event.preventDefault();
  select(-1);
  zoom(1.003 ** -Math.max(-200, Math.min(200, event.deltaY * (event.deltaMode ? 30 : 1))), within(event));
}, { passive: false });
// Two fingers are the map's: where a browser takes their dragging for scrolling it is told not to.
for (const name of ["touchstart", "touchmove"])
  canvas.addEventListener(name, (event) => event.touches.length > 1 && event.preventDefault(), { passive: false });

// The nearest sample in a direction: what lies aside counts as further away.
function beyond(place, [across, down]) {
  let best = place, least = Infinity;
  for (let other = 0; other < x.length; other++) {
    const ahead = across * (x[other] - x[place]) + down * (y[other] - y[place]);
    const aside = Math.abs(down * (x[other] - x[place])) + Math.abs(across * (y[other] - y[place]));
    if (ahead > 0 && ahead + 3 * aside < least && groupOf[other].shown) [best, least] = [other, ahead + 3 * aside];
  }
  return best;
}

function step(direction) {
  const place = selected < 0 ? nearest(view.width / 2, view.height / 2, Infinity) : beyond(selected, direction);
  if (place < 0) return;
  const out = (at, size) => at < 12 || at > size - 12;
  if (out(leftOf(place), view.width)) view.x = x[place] - view.width / 2 / view.scale;
  if (out(topOf(place), view.height)) view.y = y[place] - view.height / 2 / view.scale;
  later();
  select(place);
}

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const ZOOMS = { "+": 2, "=": 2, "-": 0.5, 0: 0 };
canvas.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const at = selected < 0 ? undefined : [leftOf(selected), topOf(selected)];
  if (STEPS[event.key]) step(STEPS[event.key]);
  else if (event.key in ZOOMS) zoom(ZOOMS[event.key], at), selected >= 0 && select(selected);
  else if (event.key === "Escape") select(-1);
  else if (event.key === "Enter" && selected >= 0) goTo(data.clusters[selected]);
  else return;
  event.preventDefault();
});
canvas.addEventListener("blur", () => select(-1));
document.querySelector("#map .tools").addEventListener("click", ({ target }) => {
  if (!target.dataset.zoom) return;
  select(-1);
  zoom(Number(target.dataset.zoom));
});
