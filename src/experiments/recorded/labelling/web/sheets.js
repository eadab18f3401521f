// A contact sheet for each cluster: a list box whose options are the images.
const main = document.querySelector("main");
const text = (value) => value.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
const clusterName = (cluster) => (cluster < 0 ? "noise" : `cluster ${cluster}`);
const members = new Map(); // the rows of each cluster, doubtful ones first
const majority = new Map();
const order = data.order; // the rows in display order, which is also the order of the packed images
const placeOf = new Map(order.map((row, place) => [row, place]));
for (const row of order) {
  const cluster = data.clusters[row];
  if (!members.has(cluster)) members.set(cluster, []);
  members.get(cluster).push(row);
}
for (const [cluster, rows] of members) majority.set(cluster, suggestion[rows.find((row) => suggestion[row])] ?? "");

const tileOf = (row) => document.getElementById(`r${row}`);
const rowAt = (element) => Number(element.id.slice(1));

const picture = (row) => tile(placeOf.get(row));

const shownWord = (label) => (label && (bare(label) || "no label"));

function caption(row) {
  const [was, is] = [current[row] || "no label", shownWord(now[row])];
  if (is) return is === was ? `${is} ✓` : `${was} → ${is}`;
  return isDoubtful(row) ? `${was} ?` : was;
}

function described(row) {
  const [was, is] = [current[row] || "no label", shownWord(now[row])];
  const doubt = isDoubtful(row) ? `, doubtful: its cluster is mostly ${suggestion[row]}` : "";
  return `${data.ids[row]}, ${is ? (is === was ? `${is}, confirmed` : `${was}, changed to ${is}`) : was + doubt}`;
}

function paint(row) {
  const tile = tileOf(row);
  tile.classList.toggle("doubtful", isDoubtful(row));
  tile.classList.toggle("changed", isChanged(row));
  tile.title = described(row);
  tile.setAttribute("aria-label", described(row));
  tile.lastElementChild.textContent = caption(row);
}

function tileMarkup(row) {
  const kind = `${isDoubtful(row) ? " doubtful" : ""}${isChanged(row) ? " changed" : ""}`, words = text(described(row));
  const name = data.drawn ? "" : `<b>${text(data.ids[row])}</b>`;
  return `<div class="tile${kind}" role="option" id="r${row}" tabindex="-1" aria-selected="false" title="${words}" ` +
    `aria-label="${words}">${picture(row)}${name}<span>${text(caption(row))}</span></div>`;
}

function sheetMarkup([cluster, rows]) {
  const name = clusterName(cluster), across = Math.max(1, Math.floor(innerWidth / 82));
  const guess = Math.ceil(rows.length / across) * 100 + 60; // height until the sheet is scrolled into view
  return `<section id="c${cluster}" aria-label="${name}" style="contain-intrinsic-size:auto ${guess}px">` +
    `<div class="head"><h2>${name}</h2><span></span>${ACCEPTED.map((kind) =>
      `<button type="button" class="accept ${kind}" data-cluster="${cluster}" data-kind="${kind}"></button>`).join("")}</div>` +
    `<div class="tiles" role="listbox" aria-multiselectable="true" aria-label="images of ${name}">` +
    `${rows.map(tileMarkup).join("")}</div></section>`;
}

// Rows that can accept the cluster's majority: without a correction, and with no label or another label.
const ACCEPTED = ["none", "other"];
const unaccepted = (cluster, kind) => members.get(cluster).filter((row) => majority.get(cluster) && (kind === "none"
  ? isUnlabelled(row) : !now[row] && current[row] && current[row] !== majority.get(cluster)));

function share(rows, most) {
  const labelled = rows.filter(shownLabel), of = labelled.filter((row) => shownLabel(row) === most).length;
  const percent = labelled.length ? Math.round((100 * of) / labelled.length) : 0;
  return `${2 * of >= labelled.length ? "mostly" : "largest class"} ${most} (${percent} % of ${labelled.length.toLocaleString("en")} labelled${data.whole ? "" : " here"})`;
}

function offerMajority(button, most) {
  const rows = unaccepted(Number(button.dataset.cluster), button.dataset.kind).length;
  button.hidden = !rows;
  const whom = rows === 1 ? "the one" : `the ${rows.toLocaleString("en")}`;
  button.textContent = `accept “${most}” for ${whom} ${button.dataset.kind === "none" ? "without a label" : "labelled otherwise"}`;
}

function count(cluster) {
  const rows = members.get(cluster), head = document.getElementById(`c${cluster}`).firstElementChild;
  const most = majority.get(cluster), doubtful = rows.filter(isDoubtful).length, edited = rows.filter(isChanged).length;
  const parts = [`${rows.length.toLocaleString("en")} ${rows.length === 1 ? data.one : data.many}`];
  if (most) parts.push(share(rows, most));
  const without = rows.filter(isUnlabelled).length;
  if (without) parts.push(`${without.toLocaleString("en")} without a label`);
  if (doubtful) parts.push(`${doubtful.toLocaleString("en")} doubtful`);
  if (edited) parts.push(`${edited.toLocaleString("en")} changed`);
  head.querySelector("span").textContent = parts.join(", ");
  for (const button of head.querySelectorAll(".accept")) offerMajority(button, most);
}

function drawSheets() {
  document.body.classList.toggle("named", !data.drawn);
  main.innerHTML = [...members].map(sheetMarkup).join("");
  for (const cluster of members.keys()) count(cluster);
  for (const list of main.querySelectorAll(".tiles")) list.firstElementChild.tabIndex = 0;
}
