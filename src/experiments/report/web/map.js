// The map: markers on a canvas, and above them images that do not overlap, those nearest to a centre first.
const CPU = { willReadFrequently: true }; // many small copies are faster on the CPU
const plane = document.getElementById("plane"), canvas = plane.querySelector("canvas"), canvasContext = canvas.getContext("2d", CPU);
const RADIUS = data.ids.length > 2000 ? 3 : 4.5;
const view = { x: 0, y: 0, scale: 1, whole: 1, width: 0, height: 0 };
const imagesBox = document.querySelector("#pictured input"), imageOfRow = new Map();
let { name: axis, x, y, high, wide } = data.maps[0];
let groups = [], groupOf = [], highlighted = null, imageRows = { key: "", rows: [] }, stamps = {}, redrawDue = false, fetching = false;

function groupBy(by) {
  const entries = [...indicesByValue(data[by])].sort(([one], [other]) => (by === "clusters" ? one - other : String(one).localeCompare(other)));
  const none = (name) => name === -1 || name === ""; // noise or no label
  const named = entries.filter(([name]) => !none(name)), noise = entries.filter(([name]) => none(name));
  groups = [...named, ...noise].map(([name, rows], number) => ({
    name: by === "labels" ? name || "no label" : clusterName(name),
    majority: by === "clusters" && name !== -1 ? majorities.get(name).name : "",
    rows, shown: true, noise: none(name),
    colour: none(name) ? data.noise : data.colours[number % data.colours.length],
    shape: data.shapes[none(name) ? 0 : Math.floor(number / data.colours.length) % data.shapes.length],
  }));
  groups.forEach((group) => group.rows.forEach((row) => (groupOf[row] = group)));
  highlighted = null;
}

const leftOf = (row) => (x[row] - view.x) * view.scale, topOf = (row) => (y[row] - view.y) * view.scale;

function fit() {
  view.whole = Math.min((view.width - 48) / Math.max(wide, 1), (view.height - 48) / Math.max(high, 1));
  Object.assign(view, { scale: view.whole, x: (wide - view.width / view.whole) / 2, y: (high - view.height / view.whole) / 2 });
}

// Zoom around a point of the canvas; 0 shows the whole map.
function zoom(factor, at = [view.width / 2, view.height / 2]) {
  const scale = Math.min(Math.max(view.scale * factor, view.whole / 2), view.whole * 500);
  if (!factor) fit();
  else Object.assign(view, { scale, x: view.x + at[0] / view.scale - at[0] / scale, y: view.y + at[1] / view.scale - at[1] / scale });
  redraw();
}

// Return a marker's image, which is drawn once: groups share a few dozen markers.
function stamp({ colour, shape }, radius) {
  const key = colour + shape, middle = Math.ceil(1.2 * radius) + 1;
  if (stamps.radius !== radius) stamps = { radius };
  if (stamps[key]) return stamps[key];
  const image = (stamps[key] = document.createElement("canvas"));
  image.width = image.height = 2 * middle;
  const pen = image.getContext("2d", CPU);
  pen.setTransform(radius, 0, 0, radius, middle, middle);
  pen.fillStyle = colour;
  pen.fill(new Path2D(shape));
  return image;
}

function drawMap() {
  redrawDue = false;
  const ratio = devicePixelRatio, radius = RADIUS * Math.min((view.scale / view.whole) ** 0.3, 2.5);
  canvasContext.setTransform(1, 0, 0, 1, 0, 0);
  canvasContext.clearRect(0, 0, canvas.width, canvas.height);
  const ordered = [...groups].sort((one, other) => other.noise - one.noise || (one === highlighted) - (other === highlighted));
  for (const group of ordered.filter(({ shown }) => shown)) {
    const marker = stamp(group, radius * ratio), middle = marker.width / 2;
    canvasContext.globalAlpha = highlighted && highlighted !== group ? 0.1 : 0.75;
    for (const row of group.rows) {
      const across = leftOf(row), down = topOf(row);
      if (across < -9 || down < -9 || across > view.width + 9 || down > view.height + 9) continue;
      canvasContext.drawImage(marker, Math.round(across * ratio) - middle, Math.round(down * ratio) - middle);
    }
  }
  canvasContext.globalAlpha = 1;
  if (TILES.per && imagesBox.checked) drawImages(ratio);
  plane.dataset.drawn = "yes";
}

function redraw() {
  if (!redrawDue) requestAnimationFrame(drawMap);
  redrawDue = true;
}

const imageSide = () => (view.width < 500 ? 30 : view.scale < 4 * view.whole ? 36 : view.scale < 16 * view.whole ? 48 : 64);

// Return the rows whose images do not overlap: 1.5 images apart, whatever part of the map is visible.
function rowsWithImages() {
  const gap = (1.5 * imageSide()) / view.scale, key = [gap, highlighted?.name, groups.map(({ shown }) => +shown).join("")].join();
  if (imageRows.key === key) return imageRows.rows;
  const taken = new Map(), rows = [], cell = (across, down) => across * 4_000_000 + down;
  for (const row of rowsByRank) {
    const group = groupOf[row], across = Math.floor(x[row] / gap), down = Math.floor(y[row] / gap);
    if (!group.shown || (highlighted && highlighted !== group)) continue;
    let free = true;
    for (let neighbour = 0; free && neighbour < 9; neighbour++) {
      const other = taken.get(cell(across + (neighbour % 3) - 1, down + Math.floor(neighbour / 3) - 1));
      free = other === undefined || Math.abs(x[other] - x[row]) >= gap || Math.abs(y[other] - y[row]) >= gap;
    }
    if (free) taken.set(cell(across, down), row), rows.push(row);
  }
  imageRows = { key, rows };
  return rows;
}

function drawImages(ratio) {
  const side = imageSide(), missing = [];
  canvasContext.setTransform(ratio, 0, 0, ratio, 0, 0);
  for (const row of rowsWithImages()) {
    const across = leftOf(row) - side / 2, down = topOf(row) - side / 2;
    if (across < -side || down < -side || across > view.width || down > view.height) continue;
    if (!imageOfRow.has(row)) missing.push(row);
    canvasContext.fillStyle = groupOf[row].colour;
    if (imageOfRow.has(row)) canvasContext.fillRect(across - 2, down - 2, side + 4, side + 4);
    if (imageOfRow.has(row)) canvasContext.drawImage(imageOfRow.get(row), across, down, side, side);
  }
  if (missing.length) fetchImages(missing);
}

// Cut the images out of the sprites in the style sheet, one sprite at a time.
async function fetchImages(rows) {
  if (fetching) return;
  fetching = true;
  let seen = performance.now();
  for (const [number, indices] of indicesByValue(rows.map((row) => Math.floor(row / TILES.per)))) {
    const probe = plane.appendChild(Object.assign(document.createElement("i"), { className: `s${number}`, hidden: true }));
    const sheet = Object.assign(new Image(), { src: getComputedStyle(probe).backgroundImage.slice(5, -2) });
    probe.remove();
    const whole = await sheet.decode().then(() => true, () => false); // a damaged sprite leaves empty frames
    for (const row of indices.map((index) => rows[index])) {
      const within = row % TILES.per, small = document.createElement("canvas"), pitch = TILES.step * TILES.side;
      small.width = small.height = TILES.side;
      if (whole) small.getContext("2d", CPU).drawImage(sheet, -pitch * (within % TILES.columns), -pitch * Math.floor(within / TILES.columns));
      imageOfRow.set(row, small);
    }
    if (performance.now() - seen > 300) redraw(), (seen = performance.now());
    await new Promise((go) => setTimeout(go)); // let pointer events run first
  }
  fetching = false;
  redraw();
  layOut();
}

// Return the shown sample nearest to a point of the canvas; a point on an image is its sample.
function nearest(across, down, reach) {
  const side = imageSide() / 2, over = TILES.per && imagesBox.checked ? rowsWithImages() : [];
  const hit = over.findLast((row) => Math.abs(leftOf(row) - across) <= side && Math.abs(topOf(row) - down) <= side);
  if (hit !== undefined) return hit;
  let best = -1, least = reach ** 2;
  for (let row = 0; row < x.length; row++) {
    const away = (leftOf(row) - across) ** 2 + (topOf(row) - down) ** 2;
    if (away < least && groupOf[row].shown) [best, least] = [row, away];
  }
  return best;
}

// Rows by distance to the centre: the first of each cluster, then the second of each.
const rank = new Map([...members.values()].flatMap((rows) => rows.map((row, position) => [row, position])));
const rowsByRank = data.clusters.map((_, row) => row).sort((one, other) => rank.get(one) - rank.get(other));

function resize() {
  const { width, height } = plane.getBoundingClientRect(), ratio = devicePixelRatio, before = view.width;
  if (!width || (width === view.width && height === view.height && canvas.width === Math.round(width * ratio))) return;
  Object.assign(view, { width, height });
  Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
  if (!before || view.scale === view.whole) fit();
  drawMap();
}

function showMap(number) {
  ({ name: axis, x, y, high, wide } = data.maps[number]);
  plane.querySelector(".across").textContent = `${axis} 1 →`;
  plane.querySelector(".up").textContent = `${axis} 2 ↑`;
  imageRows.key = "";
}

const layout = document.getElementById("layout");
layout.innerHTML = data.maps.map(({ name }, number) => `<option value="${number}">${escape(name)}</option>`).join("");
layout.parentElement.hidden = data.maps.length < 2;
layout.addEventListener("change", () => (showMap(Number(layout.value)), select(-1), zoom(0)));
showMap(0);
if (!TILES.per) document.getElementById("pictured").remove();
imagesBox.addEventListener("change", redraw);
groupBy("clusters");
resize();
new ResizeObserver(resize).observe(plane);
