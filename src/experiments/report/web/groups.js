// Who is in which cluster, and which label most of them have, of those that have one.
function grouped(names) {
  const found = new Map();
  names.forEach((name, place) => (found.get(name) ?? found.set(name, []).get(name)).push(place));
  return found;
}

// The most frequent label; of several that are as frequent the first by name, as in the tables.
function majority(places) {
  const labels = places.map((place) => data.labels[place]).filter(Boolean);
  if (!labels.length) return { label: "", share: 0, of: 0, tied: [] };
  const counts = [...grouped(labels)].map(([label, own]) => [label, own.length]);
  counts.sort(([one, few], [other, many]) => many - few || (one < other ? -1 : 1));
  const [[label, count]] = counts, tied = counts.filter(([, own]) => own === count).map(([name]) => name);
  return { label, share: count / labels.length, of: labels.length, tied };
}

function composition({ label, share, of, tied }, size) {
  if (!label) return "";
  const among = of < size ? ` of ${of.toLocaleString("en")} labelled` : "", percent = `${Math.round(100 * share)} %`;
  if (tied.length > 1) return `, tied: ${tied.slice(0, 3).join(", ")}${tied.length > 3 ? " …" : ""} (${percent} each${among})`;
  return share >= 0.5 ? `, mostly ${label} (${percent}${among})` : `, largest class ${label} (${percent}${among})`;
}

const members = grouped(data.clusters);
const majorities = new Map([...members].map(([cluster, places]) => [cluster, majority(places)]));
