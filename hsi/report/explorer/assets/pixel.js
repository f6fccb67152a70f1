// The chosen pixel in words, what lies under the pointer, and the legend of what is shown.

function element(tag, text, more = {}) {
  const made = Object.assign(document.createElement(tag), more);
  made.textContent = text;
  return made;
}

function swatch(color) {
  const made = element("span", "", { className: "swatch" });
  made.style.background = css(color);
  return made;
}

function named(one, nothing) {
  const made = element("span", "");
  if (one) made.append(swatch(one.color), one.name);
  else made.append(nothing);
  return made;
}

function percentOf(share) {
  return share === null ? "" : `${(100 * share).toFixed(2)}\u00a0%`;
}

function verdict(scene, { row, col }) {
  const place = Math.floor(row / scene.step) * scene.cols + Math.floor(col / scene.step);
  if (!scene.isTested(place)) return "";
  return scene.isWrong(place) ? "wrong" : "right";
}

// The coordinates of a pixel's centre, in words.
function placeOnEarth(grid, row, col) {
  if (!grid) return "";
  const [a, b, c, d, e, f] = grid.transform;
  const [x, y] = [a * (col + 0.5) + b * (row + 0.5) + c, d * (col + 0.5) + e * (row + 0.5) + f];
  return `; ${Number(x.toPrecision(10))}, ${Number(y.toPrecision(10))} (${grid.crs})`;
}

function describe(scene, pixel) {
  const { row, col } = pixel;
  const list = element("dl", "");
  const tell = (label, content) => {
    const value = element("dd", "");
    value.append(content);
    list.append(element("dt", label), value);
  };
  tell("Pixel", `row ${row}, column ${col}${placeOnEarth(scene.about.grid, row, col)}`);
  const part = scene.about.parts.find(
    ({ rows, cols }) => row >= rows[0] && row < rows[1] && col >= cols[0] && col < cols[1],
  );
  if (part) {
    const [down, right] = [row - part.rows[0], col - part.cols[0]];
    tell("Of", `${part.name}: row ${down}, column ${right}${placeOnEarth(part.grid, down, right)}`);
  }
  if (scene.arrays.truth) tell("Ground truth", named(scene.classAt("truth", row, col), "unlabelled"));
  if (scene.arrays.map) {
    const found = named(scene.classAt("map", row, col), "no data");
    const confidence = percentOf(scene.confidenceAt(row, col));
    if (confidence) found.append(`, confidence ${confidence}`);
    tell("Class map", found);
  }
  const set = SETS[scene.setAt(row, col)];
  const judged = verdict(scene, pixel);
  if (scene.arrays.sets) {
    tell("Split", set ? `${set.name} pixel${judged ? `, mapped ${judged}` : ""}` : "in none of the sets");
  }
  const held = scene.spectrumPixel(row, col);
  if (held.row !== row || held.col !== col) {
    tell("Spectrum", `of the nearest pixel held: row ${held.row}, column ${held.col}`);
  }
  document.getElementById("facts").replaceChildren(list);
}

function point(scene, pixel) {
  const line = document.getElementById("pointer");
  line.replaceChildren();
  if (!pixel) return;
  const { row, col } = pixel;
  line.append(`row ${row}, column ${col} `);
  const truth = scene.classAt("truth", row, col);
  const found = scene.classAt("map", row, col);
  if (truth) line.append(named(truth, ""), found ? " as " : "");
  if (found) line.append(named(found, ""), ` ${percentOf(scene.confidenceAt(row, col))}`);
}

function drawLegend(scene) {
  const legend = document.getElementById("legend");
  const { top, below } = chosenLayers();
  const shown = [top, below];
  const entries = [];
  const add = (color, text) => {
    const entry = element("span", "", { className: "entry" });
    entry.append(swatch(color), text);
    entries.push(entry);
  };
  if (shown.includes("map") || shown.includes("truth")) {
    for (const each of classesOn(scene)) add(each.color, each.name);
    add([0, 0, 0], "no class");
  }
  if (shown.includes("errors")) {
    add(WRONG, "test pixel mapped wrong");
    add(RIGHT, "test pixel mapped right");
  }
  if (shown.includes("sets")) {
    for (const number of new Set(scene.arrays.sets)) {
      if (number) add(SETS[number].color, `${SETS[number].name} pixel`);
    }
  }
  if (shown.includes("confidence")) {
    const scale = element("span", "", { className: "entry" });
    const bar = element("span", "", { className: "scale" });
    bar.style.background = `linear-gradient(90deg, ${CIVIDIS.map((color) => css(color)).join(", ")})`;
    scale.append("confidence 0 %", bar, "100 %");
    entries.push(scale);
  }
  legend.replaceChildren(...entries);
}

// Those that occur in a picture.
function classesOn(scene) {
  const found = new Set();
  for (const name of ["truth", "map"]) {
    for (const number of scene.arrays[name] || []) found.add(number);
  }
  return scene.about.classes.filter((_, k) => found.has(k + 1));
}
