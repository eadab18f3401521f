// The controls above the sheets, and updates after a change.
const element = (id) => document.getElementById(id);
const [filter, search, jump, several, said] = ["filter", "search", "jump", "several", "said"].map(element);
const LISTED = 200;
const say = (words) => (said.textContent = words);
const counted = (number, one, many) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;

function assign(rows, label) {
  change(rows.map((row) => [row, label]));
  unselect();
  refresh(rows);
  const what = rows.length === 1 ? data.ids[rows[0]] : counted(rows.length, data.one, data.many);
  say(label ? `${what}: ${shownWord(label)}` : `${what}: the change was taken back`);
}

// Update the changed images; the filter is not applied again until it is chosen again.
function refresh(rows) {
  rows.forEach(paint);
  new Set(rows.map((row) => data.clusters[row])).forEach(count);
  summarise();
}

function summarise() {
  const edits = changed(), doubtful = order.filter(isDoubtful).length, without = order.filter(isUnlabelled).length;
  element("counts").textContent = `${counted(edits.length, "change", "changes")}, ${doubtful.toLocaleString("en")} doubtful left` +
    (without ? `, ${without.toLocaleString("en")} without a label` : "");
  element("undo").disabled = !undoable.length;
  element("changes").hidden = !edits.length;
  element("changes").firstElementChild.textContent = counted(edits.length, "change", "changes");
  element("list").innerHTML = edits.slice(0, LISTED).map((row) =>
    `<li><button type="button" data-row="${row}" aria-label="take back the change of ${text(data.ids[row])}">take back</button> ` +
    `<a href="#r${row}">${text(data.ids[row])}</a>: ${text(caption(row))}</li>`).join("");
  element("more").textContent = edits.length > LISTED ? `and ${(edits.length - LISTED).toLocaleString("en")} more` : "";
  const warning = element("warning");
  warning.hidden = !unkept;
  warning.textContent = "This browser cannot store your changes (its storage is off or full): export the CSV before you close the page.";
}

function sift() {
  const words = search.value.trim().toLowerCase(), kind = filter.value;
  const fits = { all: () => true, doubtful: isDoubtful, unlabelled: isUnlabelled, changed: isChanged }[kind];
  let left = 0;
  for (const [cluster, rows] of members) {
    let seen = 0;
    for (const row of rows) {
      const found = fits(row) && (!words || `${data.ids[row]}\n${data.files[row]}\n${shownLabel(row)}`.toLowerCase().includes(words));
      tileOf(row).hidden = !found;
      if (found && !seen) focusable(row);
      seen += found;
    }
    element(`c${cluster}`).hidden = !seen;
    left += seen;
  }
  unselect();
  if (scrollY > main.offsetTop) main.scrollIntoView();
  say(kind === "all" && !words ? "" : `${counted(left, data.one, data.many)} found`);
}

function download() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([csv()], { type: "text/csv;charset=utf-8" }));
  link.download = data.export;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  say(`${link.download}: ${counted(n, "row", "rows")}, ${counted(changed().length, "change", "changes")}`);
}

async function upload({ target }) {
  const [file] = target.files;
  if (!file) return;
  try {
    const { rows, pairs, unknown } = taken(decoded(await file.arrayBuffer()));
    refresh(pairs.map(([row]) => row));
    const strange = unknown.length ? `; ${counted(unknown.length, "row names no image", "rows name no image")} of this page (${unknown[0]})` : "";
    say(`${file.name}: ${counted(rows, "row", "rows")}, ${counted(pairs.length, "label", "labels")} changed${strange}`);
  } catch (error) {
    say(`${file.name} cannot be read: ${error.message}`);
  }
  target.value = ""; // so that the same file can be chosen again
}

function takeUndo() {
  const rows = undo();
  refresh(rows);
  say(`undone: ${counted(rows.length, data.one, data.many)}`);
}

main.addEventListener("click", (event) => {
  const tile = event.target.closest(".tile"), button = event.target.closest(".accept");
  if (tile) clicked(event, tile);
  if (button) assign(unaccepted(Number(button.dataset.cluster), button.dataset.kind), majority.get(Number(button.dataset.cluster)));
});
main.addEventListener("keydown", (event) => {
  const tile = event.target.closest(".tile");
  if (tile) pressed(event, tile);
});
document.addEventListener("keydown", (event) => {
  const writing = event.target.matches("input") || chooser.open;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && !writing && undoable.length) takeUndo();
});
element("list").addEventListener("click", ({ target }) => target.dataset.row && assign([Number(target.dataset.row)], ""));
element("undo").addEventListener("click", takeUndo);
element("export").addEventListener("click", download);
element("import").addEventListener("click", () => element("file").click());
element("file").addEventListener("change", upload);
element("label").addEventListener("click", () => ask([...selected]));
element("unselect").addEventListener("click", unselect);
element("size").addEventListener("input", ({ target }) => document.documentElement.style.setProperty("--size", `${target.value}px`));
several.addEventListener("click", () => several.setAttribute("aria-pressed", String(several.getAttribute("aria-pressed") !== "true")));
filter.addEventListener("change", sift);
search.addEventListener("input", sift);
jump.addEventListener("change", () => element(`c${jump.value}`).scrollIntoView());
addEventListener("beforeunload", (event) => unkept && changed().length && event.preventDefault());
addEventListener("storage", ({ key }) => {
  if (key !== PLACE) return; // another window of the same page
  restore();
  refresh(order);
});

const before = restore();
drawSheets();
jump.innerHTML += [...members.keys()].map((cluster) => `<option value="${cluster}">${clusterName(cluster)}</option>`).join("");
summarise();
if (before) say(`${counted(before, "change", "changes")} from before`);
