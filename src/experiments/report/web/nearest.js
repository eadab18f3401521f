// A panel at the bottom of the window: the samples nearest to one, or those that a search finds.
const raw = Uint8Array.from(atob(data.nearest), (letter) => letter.charCodeAt(0)), nearestRows = new Uint16Array(raw.buffer);
const PER_ROW = nearestRows.length / data.ids.length, MATCHES = 24, LINKS = 8, DIGITS = String(Math.max(...members.keys())).length;
const panel = document.body.appendChild(Object.assign(document.createElement("aside"), { id: "nearest", hidden: true }));
panel.setAttribute("aria-label", "nearest samples");
document.querySelector("nav").insertAdjacentHTML("beforeend",
  '<input type="search" id="find" placeholder="find" aria-label="find file names, labels and clusters">');
const find = document.getElementById("find");
let opener = null; // has the focus again when the panel is closed

const clusterLink = (cluster) => `<a href="#cluster-${cluster}">${escape(clusterName(cluster))}</a>`;
const samples = (count) => `${count.toLocaleString("en")} ${count === 1 ? "sample" : "samples"}`;

function openPanel(heading, rows, note, focus) {
  if (!panel.contains(document.activeElement)) opener = document.activeElement;
  panel.innerHTML = `<h3>${heading} <button type="button" aria-label="close">×</button></h3>` +
    `<div class="tiles${TILES.per ? "" : " named"}" role="group" aria-label="samples">${rows.map((row) => figure(row, data.clusters[row])).join("")}</div><p>${note}</p>`;
  panel.hidden = false;
  hide();
  const first = panel.querySelector("figure");
  if (first) first.tabIndex = 0;
  if (focus) (first ?? panel.querySelector("button")).focus({ focusVisible: true });
}

function closePanel() {
  const inside = panel.contains(document.activeElement);
  panel.hidden = true;
  if (inside) opener?.focus();
}

function showNearest(row, focus) {
  const cluster = data.clusters[row], folder = cluster < 0 ? "noise" : `cluster_${String(cluster).padStart(DIGITS, "0")}`;
  const label = data.labels[row] ? `, label ${escape(data.labels[row])}` : "";
  const exported = data.run && ` <code>python scripts/export.py ${escape(data.run)} clusters</code> copies ${clusterName(cluster).endsWith(")") ? "each cluster to a folder of <code>clusters/data</code>" : `all clusters, this one to <code>clusters/data/${folder}</code>`}.`;
  const rows = [...nearestRows.subarray(row * PER_ROW, (row + 1) * PER_ROW)], missing = rows.length ? "" : ": not computed";
  openPanel(`${tile(row)}<span>nearest to <b>${escape(data.ids[row])}</b>${missing}</span>`, rows, `${clusterLink(cluster)}${label}.${exported}`, focus);
}

function search() {
  const text = find.value.trim().toLowerCase();
  if (!text) return closePanel();
  const has = (value) => value?.toLowerCase().includes(text), chosen = (cluster) => [String(cluster), clusterName(cluster)].includes(text);
  const rows = data.ids.flatMap((id, row) => (has(id) || has(data.labels[row]) || chosen(data.clusters[row]) ? [row] : []));
  const exact = (row) => data.labels[row]?.toLowerCase() === text;
  rows.sort((one, other) => exact(other) - exact(one));
  const counts = [...indicesByValue(rows.map((row) => data.clusters[row]))].sort(([, one], [, other]) => other.length - one.length);
  const links = counts.slice(0, LINKS).map(([cluster, found]) => `${clusterLink(cluster)} (${found.length.toLocaleString("en")})`).join(", ");
  const more = rows.length > MATCHES ? `The first ${MATCHES} are shown. ` : "", others = counts.length > LINKS ? ` and ${counts.length - LINKS} more` : "";
  openPanel(`${samples(rows.length)} with “${escape(find.value.trim())}”`, rows.slice(0, MATCHES), rows.length ? `${more}In ${links}${others}.` : "");
}

find.addEventListener("input", search);
find.addEventListener("keydown", ({ key }) => {
  if (key === "Enter" || key === "ArrowDown") panel.querySelector("figure")?.focus({ focusVisible: true });
});
panel.addEventListener("click", ({ target }) => target.closest("button") && closePanel());
addEventListener("keydown", ({ key }) => key === "Escape" && !panel.hidden && closePanel());
