// The map: markers on a canvas, and over them the images that have room, those nearest to a centre first.
const CPU = { willReadFrequently: true }; // thousands of small copies are slow through a GPU, and slower without one
const plane = document.getElementById("plane"), canvas = plane.querySelector("canvas"), paper = canvas.getContext("2d", CPU);
const RADIUS = data.ids.length > 2000 ? 3 : 4.5;
const view = { x: 0, y: 0, scale: 1, whole: 1, width: 0, height: 0 };
const pictured = document.querySelector("#pictured input"), pictures = new Map();
let { name: axis, x, y, high, wide } = data.maps[0];
let groups = [], groupOf = [], raised = null, spaced = { key: "", places: [] }, stamps = {}, due = false, fetching = false;

function group(by) {
  const found = [...grouped(data[by])].sort(([one], [other]) => (by === "clusters" ? one - other : String(one).localeCompare(other)));
  const none = (name) => name === -1 || name === ""; // noise, and no label
  const named = found.filter(([name]) => !none(name)), noise = found.filter(([name]) => none(name));
  groups = [...named, ...noise].map(([name, places], each) => ({
    name: by === "labels" ? name || "no label" : clusterName(name),
    about: by === "clusters" && name !== -1 ? majorities.get(name).name : "",
    places, shown: true, noise: none(name),
    colour: none(name) ? data.noise : data.colours[each % data.colours.length],
    shape: data.shapes[none(name) ? 0 : Math.floor(each / data.colours.length) % data.shapes.length],
  }));
  groups.forEach((each) => each.places.forEach((place) => (groupOf[place] = each)));
  raised = null;
}

const leftOf = (place) => (x[place] - view.x) * view.scale, topOf = (place) => (y[place] - view.y) * view.scale;

function fit() {
  view.whole = Math.min((view.width - 48) / Math.max(wide, 1), (view.height - 48) / Math.max(high, 1));
  Object.assign(view, { scale: view.whole, x: (wide - view.width / view.whole) / 2, y: (high - view.height / view.whole) / 2 });
}

// Zoom so that what is at this place of the canvas stays there; 0 shows all.
function zoom(factor, at = [view.width / 2, view.height / 2]) {
  const scale = Math.min(Math.max(view.scale * factor, view.whole / 2), view.whole * 500);
  if (!factor) fit();
  else Object.assign(view, { scale, x: view.x + at[0] / view.scale - at[0] / scale, y: view.y + at[1] / view.scale - at[1] / scale });
  later();
}

// A marker of so many pixels, drawn once: thousands of groups share some dozens of markers.
function stamp({ colour, shape }, radius) {
  const key = colour + shape, middle = Math.ceil(1.2 * radius) + 1;
  if (stamps.radius !== radius) stamps = { radius };
  if (stamps[key]) return stamps[key];
  const made = (stamps[key] = document.createElement("canvas"));
  made.width = made.height = 2 * middle;
  const own = made.getContext("2d", CPU);
  own.setTransform(radius, 0, 0, radius, middle, middle);
  own.fillStyle = colour;
  own.fill(new Path2D(shape));
  return made;
}

function drawMap() {
  due = false;
  const ratio = devicePixelRatio, radius = RADIUS * Math.min((view.scale / view.whole) ** 0.3, 2.5);
  paper.setTransform(1, 0, 0, 1, 0, 0);
  paper.clearRect(0, 0, canvas.width, canvas.height);
  const ordered = [...groups].sort((one, other) => other.noise - one.noise || (one === raised) - (other === raised));
  for (const each of ordered.filter(({ shown }) => shown)) {
    const marker = stamp(each, radius * ratio), middle = marker.width / 2;
    paper.globalAlpha = raised && raised !== each ? 0.1 : 0.75;
    for (const place of each.places) {
      const across = leftOf(place), down = topOf(place);
      if (across < -9 || down < -9 || across > view.width + 9 || down > view.height + 9) continue;
      paper.drawImage(marker, Math.round(across * ratio) - middle, Math.round(down * ratio) - middle);
    }
  }
  paper.globalAlpha = 1;
  if (TILES.per && pictured.checked) drawPictures(ratio);
  plane.dataset.drawn = "yes";
}

function later() {
  if (!due) requestAnimationFrame(drawMap);
  due = true;
}

const imageSide = () => (view.width < 500 ? 30 : view.scale < 4 * view.whole ? 36 : view.scale < 16 * view.whole ? 48 : 64);

// The places whose images have room: no two are nearer than an image and a half. Panning does not change them.
function withRoom() {
  const gap = (1.5 * imageSide()) / view.scale, key = [gap, raised?.name, groups.map(({ shown }) => +shown).join("")].join();
  if (spaced.key === key) return spaced.places;
  const taken = new Map(), places = [], cell = (across, down) => across * 4_000_000 + down;
  for (const place of central) {
    const own = groupOf[place], across = Math.floor(x[place] / gap), down = Math.floor(y[place] / gap);
    if (!own.shown || (raised && raised !== own)) continue;
    let free = true;
    for (let each = 0; free && each < 9; each++) {
      const other = taken.get(cell(across + (each % 3) - 1, down + Math.floor(each / 3) - 1));
      free = other === undefined || Math.abs(x[other] - x[place]) >= gap || Math.abs(y[other] - y[place]) >= gap;
    }
    if (free) taken.set(cell(across, down), place), places.push(place);
  }
  spaced = { key, places };
  return places;
}

function drawPictures(ratio) {
  const side = imageSide(), missing = [];
  paper.setTransform(ratio, 0, 0, ratio, 0, 0);
  for (const place of withRoom()) {
    const across = leftOf(place) - side / 2, down = topOf(place) - side / 2;
    if (across < -side || down < -side || across > view.width || down > view.height) continue;
    if (!pictures.has(place)) missing.push(place);
    paper.fillStyle = groupOf[place].colour;
    if (pictures.has(place)) paper.fillRect(across - 2, down - 2, side + 4, side + 4);
    if (pictures.has(place)) paper.drawImage(pictures.get(place), across, down, side, side);
  }
  if (missing.length) fetchPictures(missing);
}

// Cut images out of what the style sheet holds, sheet by sheet.
async function fetchPictures(places) {
  if (fetching) return;
  fetching = true;
  let seen = performance.now();
  for (const [number, own] of grouped(places.map((place) => Math.floor(place / TILES.per)))) {
    const probe = plane.appendChild(Object.assign(document.createElement("i"), { className: `s${number}`, hidden: true }));
    const sheet = Object.assign(new Image(), { src: getComputedStyle(probe).backgroundImage.slice(5, -2) });
    probe.remove();
    const whole = await sheet.decode().then(() => true, () => false); // of one that is damaged the frames are shown
    for (const place of own.map((each) => places[each])) {
      const within = place % TILES.per, small = document.createElement("canvas"), pitch = TILES.step * TILES.side;
      small.width = small.height = TILES.side;
      if (whole) small.getContext("2d", CPU).drawImage(sheet, -pitch * (within % TILES.columns), -pitch * Math.floor(within / TILES.columns));
      pictures.set(place, small);
    }
    if (performance.now() - seen > 300) later(), (seen = performance.now());
    await new Promise((go) => setTimeout(go)); // the pointer comes first
  }
  fetching = false;
  later();
}

// The nearest sample that is shown to a place of the canvas; an image counts as a whole.
function nearest(across, down, reach) {
  const side = imageSide() / 2, over = TILES.per && pictured.checked ? withRoom() : [];
  const hit = over.findLast((place) => Math.abs(leftOf(place) - across) <= side && Math.abs(topOf(place) - down) <= side);
  if (hit !== undefined) return hit;
  let best = -1, least = reach ** 2;
  for (let place = 0; place < x.length; place++) {
    const away = (leftOf(place) - across) ** 2 + (topOf(place) - down) ** 2;
    if (away < least && groupOf[place].shown) [best, least] = [place, away];
  }
  return best;
}

// Samples by how near they are to their cluster's centre: the first of each cluster, then the second of each.
const rank = new Map([...members.values()].flatMap((places) => places.map((place, each) => [place, each])));
const central = data.clusters.map((_, place) => place).sort((one, other) => rank.get(one) - rank.get(other));

function resize() {
  const { width, height } = plane.getBoundingClientRect(), ratio = devicePixelRatio, before = view.width;
  if (!width || (width === view.width && height === view.height && canvas.width === Math.round(width * ratio))) return;
  Object.assign(view, { width, height });
  Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
  if (!before || view.scale === view.whole) fit();
  drawMap();
}

function lay(number) {
  ({ name: axis, x, y, high, wide } = data.maps[number]);
  plane.querySelector(".across").textContent = `${axis} 1 →`;
  plane.querySelector(".up").textContent = `${axis} 2 ↑`;
  spaced.key = "";
}

const layout = document.getElementById("layout");
layout.innerHTML = data.maps.map(({ name }, number) => `<option value="${number}">${text(name)}</option>`).join("");
layout.parentElement.hidden = data.maps.length < 2;
layout.addEventListener("change", () => (lay(Number(layout.value)), select(-1), zoom(0)));
lay(0);
if (!TILES.per) document.getElementById("pictured").remove();
pictured.addEventListener("change", later);
group("clusters");
resize();
new ResizeObserver(resize).observe(plane);
