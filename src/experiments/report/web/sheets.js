// The clusters as contact sheets: the images nearest to the centre first, all of them when asked for.
const FIRST = 24, sheets = document.getElementById("sheets"), order = document.getElementById("order");
const members = new Map();
data.clusters.forEach((cluster, place) => {
  if (!members.has(cluster)) members.set(cluster, []);
  members.get(cluster).push(place);
});
const majorities = new Map([...members].map(([cluster, places]) => [cluster, majority(places)]));

function majority(places) {
  const counts = new Map();
  if (data.labels.length) for (const place of places) counts.set(data.labels[place], (counts.get(data.labels[place]) ?? 0) + 1);
  const [label, count] = [...counts].reduce((best, each) => (each[1] > best[1] ? each : best), ["", 0]);
  return { label, share: count / places.length };
}

function figure(place, cluster) {
  const label = data.labels[place] ?? data.ids[place], most = majorities.get(cluster).label;
  const wrong = cluster >= 0 && most && label !== most ? ' class="wrong"' : "";
  const said = text(TILES.per ? label : data.labels.length ? `${data.ids[place]}: ${label}` : label);
  return `<figure${wrong} data-place="${place}">${tile(place)}<figcaption>${said}</figcaption></figure>`;
}

function sheet(cluster) {
  const places = members.get(cluster), { label, share } = majorities.get(cluster), name = clusterName(cluster);
  const mostly = label ? `, mostly ${label} (${Math.round(100 * share)} %)` : "";
  const more = places.length > FIRST ? `<button type="button" data-cluster="${cluster}">show all ${places.length.toLocaleString("en")}</button>` : "";
  return `<div class="sheet" id="cluster-${cluster}" style="contain-intrinsic-size:auto 220px"><h3>${text(`${name}: ${places.length.toLocaleString("en")}${mostly}`)}</h3>` +
    `<div class="tiles">${places.slice(0, FIRST).map((place) => figure(place, cluster)).join("")}</div>${more}</div>`;
}

function drawSheets() {
  const size = (cluster) => -members.get(cluster).length, worst = (cluster) => majorities.get(cluster).share;
  const clusters = [...members.keys()], key = { size, worst }[order.value];
  if (key) clusters.sort((one, other) => (one < 0) - (other < 0) || key(one) - key(other));
  sheets.innerHTML = clusters.map(sheet).join("");
}

if (!data.labels.length) order.querySelector('[value="worst"]').remove();
if (!TILES.per) sheets.classList.add("named");
order.addEventListener("change", drawSheets);
sheets.addEventListener("click", (event) => {
  const button = event.target.closest("button"), tiled = event.target.closest("figure");
  if (tiled) show(Number(tiled.dataset.place), event);
  if (!button) return;
  const cluster = Number(button.dataset.cluster);
  button.previousElementSibling.innerHTML = members.get(cluster).map((place) => figure(place, cluster)).join("");
  button.remove();
});
sheets.addEventListener("pointerover", (event) => {
  const tiled = event.target.closest("figure");
  if (tiled && event.pointerType === "mouse") show(Number(tiled.dataset.place), event);
});
sheets.addEventListener("pointerout", hide);
drawSheets();
