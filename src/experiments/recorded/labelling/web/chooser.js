// The dialog to choose a label: type to filter, or type a new label.
const chooser = document.getElementById("chooser"), typed = document.getElementById("typed");
const offered = document.getElementById("offered"), MOST = 200, PICTURED = 12;
let asked = [], options = [], active = 0;

function candidates() {
  const words = typed.value.trim(), wanted = words.toLowerCase();
  const common = (values) => (new Set(values).size === 1 ? values[0] : "");
  const whole = common(asked.map((row) => suggestion[row])), own = common(asked.map((row) => current[row]));
  const notes = new Map([[whole, "the cluster's majority"], [own, own === whole ? "as it is, and the cluster's majority" : "as it is: confirm"]]);
  const all = new Set([whole, own, ...recent, ...labels().sort((one, other) => one.localeCompare(other, "en", { numeric: true }))]);
  all.delete("");
  const fits = [...all].filter((label) => label.toLowerCase().includes(wanted));
  if (wanted) fits.sort((one, other) => rank(one.toLowerCase(), wanted) - rank(other.toLowerCase(), wanted));
  const found = fits.slice(0, MOST).map((label) => ({ label, note: notes.get(label) ?? "" }));
  if (words && !all.has(words)) found.push({ label: words, note: bare(words) ? "a new label" : "no label" });
  return found;
}

const rank = (label, wanted) => (label === wanted ? 0 : label.startsWith(wanted) ? 1 : 2);

function offer() {
  options = candidates();
  offered.innerHTML = options.map(({ label, note }, place) =>
    `<li role="option" id="o${place}">${text(label)}<small>${text(note)}</small></li>`).join("");
  activate(0);
}

function activate(place) {
  offered.children[active]?.setAttribute("aria-selected", "false");
  active = Math.min(Math.max(place, 0), options.length - 1);
  const item = offered.children[active];
  item?.setAttribute("aria-selected", "true");
  item?.scrollIntoView({ block: "nearest" });
  if (item) typed.setAttribute("aria-activedescendant", item.id);
  else typed.removeAttribute("aria-activedescendant");
}

function ask(rows, letters = "") {
  asked = rows;
  const title = rows.length === 1 ? described(rows[0]) : `${rows.length.toLocaleString("en")} ${data.many}`;
  document.getElementById("asked").textContent = title;
  document.getElementById("shown").innerHTML = rows.slice(0, PICTURED).map(picture).join("");
  document.getElementById("take-back").disabled = !rows.some(isChanged);
  typed.value = letters;
  offer();
  chooser.showModal();
  typed.focus();
}

function choose(label) {
  chooser.close();
  if (bare(label) && !recent.includes(label)) recent.unshift(label);
  recent.length = Math.min(recent.length, 5);
  assign(asked, label);
}

typed.addEventListener("input", offer);
typed.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown" || event.key === "ArrowUp") activate(active + (event.key === "ArrowDown" ? 1 : -1));
  else if (event.key === "Enter" && !event.isComposing && options.length) choose(options[active].label);
  else return;
  event.preventDefault();
});
offered.addEventListener("click", ({ target }) => {
  const item = target.closest("li");
  if (item) choose(options[Number(item.id.slice(1))].label);
});
document.getElementById("take-back").addEventListener("click", () => choose(""));
document.getElementById("none").addEventListener("click", () => choose(data.withdrawn));
document.getElementById("cancel").addEventListener("click", () => chooser.close());
chooser.addEventListener("click", ({ target }) => target === chooser && chooser.close()); // a click outside the dialog
chooser.addEventListener("close", () => asked.length && focusOn(asked.at(-1)));
