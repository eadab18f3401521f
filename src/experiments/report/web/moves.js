// Navigation of the map by pointer, touch and keyboard.
const ring = document.getElementById("ring"), fingers = new Map();
let selected = -1, dragged = 0;

const within = ({ clientX, clientY }) => {
  const box = canvas.getBoundingClientRect();
  return [clientX - box.left, clientY - box.top];
};

function select(row, event) {
  selected = row;
  ring.hidden = row < 0;
  canvas.style.cursor = row < 0 ? "grab" : "pointer";
  if (row < 0) return hide();
  const box = canvas.getBoundingClientRect(), [across, down] = [leftOf(row), topOf(row)];
  ring.style.transform = `translate(${across}px, ${down}px)`;
  show(row, event ?? { clientX: box.left + across, clientY: box.top + down });
}

function move(event) {
  const before = fingers.get(event.pointerId), now = within(event);
  if (!before) return event.pointerType === "mouse" && select(nearest(...now, 14), event);
  const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
  fingers.set(event.pointerId, now);
  dragged += Math.hypot(now[0] - before[0], now[1] - before[1]);
  if (event.pointerType === "touch" && !other) return; // one finger scrolls the page
  if (dragged > 4) select(-1);
  const share = other ? 0.5 : 1; // each of two fingers moves the map by half
  view.x -= (share * (now[0] - before[0])) / view.scale;
  view.y -= (share * (now[1] - before[1])) / view.scale;
  if (!other) return redraw();
  const apart = (point) => Math.hypot(point[0] - other[0], point[1] - other[1]);
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
canvas.addEventListener("click", (event) => {
  if (dragged > 4) return;
  const row = nearest(...within(event), 24);
  if (row >= 0 && event.detail < 2) showNearest(row);
  select(row, event);
});
canvas.addEventListener("dblclick", (event) => (select(-1), zoom(event.shiftKey ? 0.5 : 2, within(event))));
canvas.addEventListener("wheel", (event) => {
  if (!event.ctrlKey && !event.metaKey) return; // the wheel without a key scrolls the page
  event.preventDefault();
  select(-1);
  zoom(1.003 ** -Math.max(-200, Math.min(200, event.deltaY * (event.deltaMode ? 30 : 1))), within(event));
}, { passive: false });
// Keep the browser from scrolling the page with two fingers.
for (const name of ["touchstart", "touchmove"])
  canvas.addEventListener(name, (event) => event.touches.length > 1 && event.preventDefault(), { passive: false });

// Return the nearest sample in a direction; sideways distances count three times.
function beyond(row, [across, down]) {
  let best = row, least = Infinity;
  for (let other = 0; other < x.length; other++) {
    const ahead = across * (x[other] - x[row]) + down * (y[other] - y[row]);
    const aside = Math.abs(down * (x[other] - x[row])) + Math.abs(across * (y[other] - y[row]));
    if (ahead > 0 && ahead + 3 * aside < least && groupOf[other].shown) [best, least] = [other, ahead + 3 * aside];
  }
  return best;
}

function step(direction) {
  const row = selected < 0 ? nearest(view.width / 2, view.height / 2, Infinity) : beyond(selected, direction);
  if (row < 0) return;
  const out = (at, size) => at < 12 || at > size - 12;
  if (out(leftOf(row), view.width)) view.x = x[row] - view.width / 2 / view.scale;
  if (out(topOf(row), view.height)) view.y = y[row] - view.height / 2 / view.scale;
  redraw();
  select(row);
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
  else if (event.key === " " && selected >= 0) showNearest(selected, true);
  else return;
  event.preventDefault();
});
canvas.addEventListener("blur", () => select(-1));
document.querySelector("#map .tools").addEventListener("click", ({ target }) => {
  if (!target.dataset.zoom) return;
  select(-1);
  zoom(Number(target.dataset.zoom));
});
